// What can be said without a browser.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { build } from 'esbuild'

const load = async (file) => {
  const built = await build({ entryPoints: [`src/${file}.ts`], bundle: true, format: 'esm', write: false })
  return import(`data:text/javascript;base64,${Buffer.from(built.outputFiles[0].contents).toString('base64')}`)
}
const { judge, findDelay, readRetryAfter } = await load('retries')
const { makeUuid } = await load('ids')

test('the table of answers', () => {
  const verdicts = {
    0: 'retry', 200: 'sent', 204: 'sent', 302: 'refused', 400: 'refused', 401: 'refused', 403: 'refused', 404: 'refused',
    408: 'retry', 413: 'split', 422: 'refused', 429: 'retry', 500: 'retry', 502: 'retry', 503: 'retry', 504: 'retry',
  }
  for (const [status, verdict] of Object.entries(verdicts)) assert.equal(judge(Number(status)), verdict, status)
})

test('pauses grow and differ and honour what is asked', () => {
  assert.deepEqual([1, 2, 3, 7, 8].map((attempt) => findDelay(attempt, null, 1)), [500, 1000, 2000, 30000, 30000])
  assert.deepEqual([1, 2].map((attempt) => findDelay(attempt, null, 0)), [250, 500])
  assert.equal(findDelay(1, 7000, 0), 7000)
  assert.equal(findDelay(1, 10000, 1), 11000)
})

test('Retry-After is seconds or a date', () => {
  const now = Date.parse('2026-11-01T10:00:00Z')
  const table = [
    [null, null], ['', null], ['3', 3000], ['1.5', 1500], ['-4', 0], ['9999', 300000], ['soon', null],
    ['Sun, 01 Nov 2026 10:00:09 GMT', 9000], ['Sun, 01 Nov 2026 09:00:00 GMT', 0],
  ]
  for (const [text, wait] of table) assert.equal(readRetryAfter(text, now), wait, text)
})

test('uuids are in the order of time', () => {
  const made = [1, 2, 1_793_527_200_000].map((now) => makeUuid(now))
  assert.deepEqual(made, [...made].sort())
  assert.match(made[2], /^01a1[0-9a-f]{4}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('the public API is what it was', () => {
  // A snapshot: whoever changes what pages may rely on changes it too (copy what the build wrote).
  const declared = ['index', 'footfall', 'types'].map((name) => readFileSync(`dist/${name}.d.ts`, 'utf8')).join('\n')
  assert.equal(declared, readFileSync('tests/public-api.d.ts', 'utf8'))
})
