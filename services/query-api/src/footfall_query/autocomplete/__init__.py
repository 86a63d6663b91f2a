"""What a person may choose from while they write a question: names of properties, and their values."""
