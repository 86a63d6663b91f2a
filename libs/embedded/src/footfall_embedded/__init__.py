"""Footfall on one machine, without other servers."""
