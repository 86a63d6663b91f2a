// What the official JavaScript client needs of an endpoint that serves as ClickHouse.
// FOOTFALL_TEST_CLICKHOUSE_URL says where it is, FOOTFALL_TEST_DATABASE which database may be written to.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { createClient } from "@clickhouse/client";

const url = process.env.FOOTFALL_TEST_CLICKHOUSE_URL;
const database = process.env.FOOTFALL_TEST_DATABASE;
const client = createClient({ url, database, compression: { request: true, response: true } });
const table = `js_${randomUUID().replaceAll("-", "")}`;

before(async () => {
  await client.command({
    query: `CREATE TABLE ${table} (id UInt32, name String, properties JSON) ENGINE = MergeTree ORDER BY id`,
  });
});

after(async () => {
  await client.command({ query: `DROP TABLE ${table} SYNC` });
  await client.close();
});

test("ping, with and without a query", async () => {
  assert.deepEqual(await client.ping(), { success: true });
  assert.deepEqual(await client.ping({ select: true }), { success: true });
});

test("insert of values, and a query with parameters", async () => {
  const result = await client.insert({
    table,
    values: [
      { id: 1, name: "it's \\ \t ü\n", properties: { plan: "pro" } },
      { id: 2, name: "bob", properties: { plan: "free", n: 1 } },
    ],
    format: "JSONEachRow",
  });
  assert.equal(result.summary?.written_rows, "2");
  assert.ok(result.query_id);
  const rows = await client.query({
    query: `SELECT id, name, properties.plan::String AS plan FROM ${table}
            WHERE name = {name: String} AND id IN {ids: Array(UInt32)}`,
    query_params: { name: "it's \\ \t ü\n", ids: [1, 2, 3] },
    format: "JSONEachRow",
  });
  assert.deepEqual(await rows.json(), [{ id: 1, name: "it's \\ \t ü\n", plan: "pro" }]);
});

test("insert of a stream", async () => {
  const stream = Readable.from(
    (function* () {
      for (let id = 1000; id < 21000; id += 1) yield { id, name: "streamed" };
    })(),
    { objectMode: true },
  );
  await client.insert({ table, values: stream, format: "JSONEachRow" });
  const count = await client.query({
    query: `SELECT toUInt32(count()) AS n FROM ${table} WHERE name = 'streamed'`,
    format: "JSONEachRow",
  });
  assert.deepEqual(await count.json(), [{ n: 20000 }]);
});

test("a long result as a stream", async () => {
  const result = await client.query({
    query: "SELECT number AS n FROM numbers(500000)",
    format: "JSONCompactEachRow",
  });
  let rows = 0;
  for await (const chunk of result.stream()) rows += chunk.length;
  assert.equal(rows, 500000);
});

test("the JSON format with its metadata", async () => {
  const result = await client.query({ query: "SELECT 1::UInt8 AS a", format: "JSON" });
  const document = await result.json();
  assert.deepEqual(document.meta, [{ name: "a", type: "UInt8" }]);
  assert.deepEqual(document.data, [{ a: 1 }]);
  assert.equal(document.rows, 1);
});

test("errors have their code and type", async () => {
  await assert.rejects(client.query({ query: "SELECT * FROM nope", format: "JSON" }), {
    code: "60",
    type: "UNKNOWN_TABLE",
  });
  await assert.rejects(client.command({ query: "select from where" }), { code: "62" });
});

test("an error in the middle of a result", async () => {
  const result = await client.query({
    query: "SELECT number, throwIf(number = 3000000, 'enough') FROM numbers(4000000) SETTINGS max_block_size = 65536",
    format: "JSONEachRow",
  });
  await assert.rejects(async () => {
    for await (const chunk of result.stream()) assert.ok(chunk.length);
  });
});

test("settings, sessions and ids", async () => {
  const query_id = randomUUID();
  const result = await client.query({
    query: "SELECT getSetting('max_threads') AS n",
    clickhouse_settings: { max_threads: 3 },
    query_id,
    format: "JSONEachRow",
  });
  assert.equal(result.query_id, query_id);
  assert.deepEqual(await result.json(), [{ n: 3 }]);
  const session_id = randomUUID();
  await client.command({ query: "CREATE TEMPORARY TABLE mine (a UInt8)", session_id });
  await client.command({ query: "INSERT INTO mine VALUES (7)", session_id });
  const mine = await client.query({ query: "SELECT a FROM mine", session_id, format: "JSONEachRow" });
  assert.deepEqual(await mine.json(), [{ a: 7 }]);
});

test("an aborted query goes away", async () => {
  const controller = new AbortController();
  const query_id = randomUUID();
  const aborted = client.query({
    query: "SELECT sleepEachRow(0.05) FROM numbers(1200) SETTINGS max_block_size = 1",
    clickhouse_settings: {
      function_sleep_max_microseconds_per_block: "1000000000",
      cancel_http_readonly_queries_on_client_close: 1,
    },
    abort_signal: controller.signal,
    query_id,
    format: "JSONEachRow",
  });
  const running = async () => {
    const rows = await client.query({
      query: "SELECT toUInt8(count()) AS n FROM system.processes WHERE query_id = {query_id: String}",
      query_params: { query_id },
      format: "JSONEachRow",
    });
    return (await rows.json())[0].n;
  };
  while ((await running()) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort();
  await assert.rejects(aborted);
  const deadline = Date.now() + 10000;
  while ((await running()) > 0) {
    assert.ok(Date.now() < deadline, "the query still runs");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});
