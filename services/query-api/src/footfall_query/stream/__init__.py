"""What arrives now, as it arrives."""
