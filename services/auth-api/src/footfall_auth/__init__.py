"""The Auth API: projects, their keys, and what the other services ask about them."""
