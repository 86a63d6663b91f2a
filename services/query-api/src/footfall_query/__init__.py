"""Footfall's Query API: questions about one project's events, answered by ClickHouse."""
