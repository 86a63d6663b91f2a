-- What was sent with a valid key and could not be stored, with the reason, so that it can be found and mended.

CREATE TABLE IF NOT EXISTS analytics.rejected_events
(
    project_id UInt32,
    reason LowCardinality(String),
    detail String,
    source LowCardinality(String),
    payload String CODEC(ZSTD(3)),
    received_at DateTime64(3, 'UTC'),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3),
    log_partition UInt16,
    log_offset UInt64,

    INDEX log_offset_range log_offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (project_id, received_at, log_partition, log_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000;
