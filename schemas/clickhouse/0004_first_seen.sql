-- When each distinct_id was seen first, whatever it did. Who is new follows from it without all of the project's history.

CREATE TABLE IF NOT EXISTS analytics.first_seen
(
    project_id UInt32,
    distinct_id String EPHEMERAL,
    person_id UUID DEFAULT reinterpretAsUUID(sipHash128(project_id, distinct_id)),
    at SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    person UInt64 ALIAS dictGetOrDefault(
        'analytics.person_of', 'person', reinterpretAsUInt64(person_id), reinterpretAsUInt64(person_id))
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, person_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What was stored before this table was there.
INSERT INTO analytics.first_seen (project_id, person_id, at)
SELECT project_id, person_id, min(timestamp) FROM analytics.events GROUP BY project_id, person_id;
