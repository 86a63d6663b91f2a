"""Footfall's dashboard: the built pages, and the server that hands them to browsers."""
