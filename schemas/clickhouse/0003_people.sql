-- Who is who: links between distinct_ids, the people that follow from them, and what is known about them.
-- docs/identity.md tells the rules. All three tables say the same in any order of their INSERTs.

-- Every link twice, once for each of its ends, so that a person's links are found by either.
CREATE TABLE IF NOT EXISTS analytics.person_links
(
    project_id UInt32,
    distinct_id String,
    other_id String,
    -- Whether `distinct_id` is the one that joins `other_id`.
    is_source Bool,
    is_forced Bool,
    -- Unix milliseconds of the first event that says so.
    at SimpleAggregateFunction(min, Int64)
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, distinct_id, other_id, is_source, is_forced)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What follows from the links: which person each linked distinct_id belongs to. The version grows with the links.
CREATE TABLE IF NOT EXISTS analytics.person_ids
(
    project_id UInt32,
    distinct_id String,
    -- The distinct_id that the person is named after.
    root_id String,
    person_id UUID DEFAULT reinterpretAsUUID(sipHash128(project_id, distinct_id)),
    root_person_id UUID DEFAULT reinterpretAsUUID(sipHash128(project_id, root_id)),
    joined_at Int64,
    version UInt128,
    written_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (project_id, distinct_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The ids whose events belong to another's person, by half of their person_id. A key and a value of 64 bits cost a tenth
-- of a key of two columns, and counting such values less than counting UUIDs. The Consumer reloads it when it has
-- written; a server does by itself.
CREATE DICTIONARY IF NOT EXISTS analytics.person_of
(
    key UInt64,
    person UInt64,
    person_id UUID,
    joined_at Int64
)
PRIMARY KEY key
SOURCE(CLICKHOUSE(
    USER '{user}' PASSWORD '{password}'
    QUERY 'SELECT reinterpretAsUInt64(person_id), reinterpretAsUInt64(root_person_id), root_person_id, joined_at FROM analytics.person_ids FINAL WHERE root_person_id != person_id'
    INVALIDATE_QUERY 'SELECT max(written_at) FROM analytics.person_ids'
))
LAYOUT(HASHED())
LIFETIME(MIN 2 MAX 5);

-- What $set, $set_once and $unset said, as the least that any order of arrival can be told from.
CREATE TABLE IF NOT EXISTS analytics.person_properties
(
    project_id UInt32,
    name String,
    distinct_id String,
    -- Pairs of Unix milliseconds and the value as JSON.
    last_set SimpleAggregateFunction(max, Tuple(Int64, String)),
    first_once SimpleAggregateFunction(min, Tuple(Int64, String)),
    last_once SimpleAggregateFunction(max, Tuple(Int64, String)),
    unset_at SimpleAggregateFunction(max, Int64),
    person_id UUID ALIAS reinterpretAsUUID(sipHash128(project_id, distinct_id)),
    person UInt64 ALIAS dictGetOrDefault(
        'analytics.person_of', 'person', reinterpretAsUInt64(person_id), reinterpretAsUInt64(person_id)),
    -- A person's own id was there before everything.
    joined_at Int64 ALIAS dictGetOrDefault(
        'analytics.person_of', 'joined_at', reinterpretAsUInt64(person_id), toInt64(-9223372036854775808)),

    INDEX distinct_ids distinct_id TYPE bloom_filter GRANULARITY 1
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, name, distinct_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Whom the event belongs to now, whatever was known when it came.
ALTER TABLE analytics.events ADD COLUMN IF NOT EXISTS person UInt64 ALIAS dictGetOrDefault(
    'analytics.person_of', 'person', reinterpretAsUInt64(person_id), reinterpretAsUInt64(person_id));
