// Every kind of event that PostHog's SDK for Node sends: `HOST KEY`.
import { PostHog } from 'posthog-node'

const [host, key] = process.argv.slice(2)
const errors = []
const client = new PostHog(key, {
  host,
  flushInterval: 100,
  fetchRetryDelay: 200,
  disableCompression: process.env.GZIP !== '1',
})
client.on('error', (error) => errors.push(String(error)))
const timestamp = new Date('2026-11-01T10:00:00Z')
const uuid = '0192f3a8-7b3e-7c44-9a51-3f2a8d9e6c01'
client.capture({
  distinctId: 'ann',
  event: 'signup',
  properties: { plan: 'pro', amount: 12.5, items: ['a', 'b'], $set: { name: 'Ann' } },
  groups: { company: 'acme' },
  timestamp,
  uuid,
})
client.identify({ distinctId: 'ann', properties: { age: 33, $set_once: { first: 'yes' } } })
client.alias({ distinctId: 'ann', alias: 'anonymous-1' })
client.groupIdentify({ groupType: 'company', groupKey: 'acme', properties: { seats: 5 }, distinctId: 'ann' })
const flags = await client.getAllFlags('ann')
await client.shutdown()
console.log(JSON.stringify({ uuid, flags, errors }))
