-- How far behind the log the Consumer is, as it saw it last: one row. When that is old, nobody reads the log.

CREATE TABLE IF NOT EXISTS analytics.log_lag
(
    -- Records that are not committed yet, and when the oldest of them was appended.
    records UInt64,
    oldest_appended_at Nullable(DateTime64(3, 'UTC')),
    reported_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
-- Nothing is lost with it, so nothing is synced: the next report comes in seconds.
ENGINE = ReplacingMergeTree(reported_at)
ORDER BY tuple();
