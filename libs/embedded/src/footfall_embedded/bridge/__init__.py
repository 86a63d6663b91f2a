"""chDB (the ClickHouse engine, in-process) behind ClickHouse's own HTTP protocol."""
