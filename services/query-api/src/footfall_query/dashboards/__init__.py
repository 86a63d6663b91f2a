"""Saved queries, laid out on pages."""
