"""Questions that are answered in the background."""
