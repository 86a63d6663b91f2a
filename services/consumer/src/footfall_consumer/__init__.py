"""Takes events from the log, enriches them, and stores each in ClickHouse exactly once."""
