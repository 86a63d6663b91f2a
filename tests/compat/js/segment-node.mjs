// Every kind of call of Segment's SDK for Node: `HOST KEY`.
import { Analytics } from '@segment/analytics-node'

const [host, writeKey] = process.argv.slice(2)
const errors = []
const client = new Analytics({ writeKey, host, flushInterval: 100 })
client.on('error', (error) => errors.push(String(error.reason ?? error.code)))
const timestamp = new Date('2026-11-01T10:00:00Z')
client.track({
  userId: 'ann',
  event: 'signup',
  properties: { plan: 'pro', amount: 12.5 },
  context: { ip: '198.51.100.4', locale: 'de' },
  messageId: '0192f3a8-7b3e-7c44-9a51-3f2a8d9e6c01',
  timestamp,
})
client.identify({ userId: 'ann', anonymousId: 'anonymous-1', traits: { name: 'Ann' } })
client.page({ userId: 'ann', name: 'Start', category: 'Docs', properties: { url: 'https://shop.example/start' } })
client.screen({ userId: 'ann', name: 'Main', properties: { tab: 2 } })
client.group({ userId: 'ann', groupId: 'acme', traits: { seats: 5 } })
client.alias({ userId: 'ann', previousId: 'anonymous-2' })
client.track({ anonymousId: 'anonymous-3', event: 'visit' })
await client.closeAndFlush({ timeout: 20000 })
console.log(JSON.stringify({ errors }))
