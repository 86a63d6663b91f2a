-- One row per stored event. See docs/events-table.md for why each part of the key is there.

CREATE TABLE IF NOT EXISTS analytics.events
(
    project_id UInt32,
    uuid UUID,
    event LowCardinality(String),
    distinct_id String,
    -- Deterministic, so that no lookup stands between an event and its person; links override it on reading.
    person_id UUID DEFAULT reinterpretAsUUID(sipHash128(project_id, distinct_id)),
    timestamp DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    properties JSON(max_dynamic_paths = 512),
    session_id String,
    received_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(DoubleDelta, ZSTD(1)),
    -- Where the event stands in the log: what recovery compares, and what a reader follows to the source.
    log_partition UInt16,
    log_offset UInt64 CODEC(DoubleDelta, ZSTD(1)),

    INDEX log_offset_range log_offset TYPE minmax GRANULARITY 1,
    INDEX inserted_at_range inserted_at TYPE minmax GRANULARITY 1,
    INDEX timestamp_range timestamp TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
-- Not the timestamp itself: two tries of one event differ by milliseconds after the clock correction.
ORDER BY (project_id, event, toDate(timestamp), cityHash64(distinct_id), uuid)
-- An answered insert survives a power cut, as the log's commit that follows it does.
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000;
