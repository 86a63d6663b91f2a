// Runs cases with the web SDK, each in a page of its own: `URL`, cases on stdin; says what was dropped, by case.
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { launch } from '../web/tests/browser.mjs'

const host = process.argv[2]
const cases = JSON.parse(readFileSync(0, 'utf8'))
const sdk = readFileSync(new URL('../web/dist/footfall.mjs', import.meta.url))
const server = createServer((request, response) => {
  const isScript = request.url === '/sdk.mjs'
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
  response.end(isScript ? sdk : '<!doctype html><title>Case</title>')
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())

async function run(browser, each) {
  const context = await browser.newContext() // whose storage is its own
  const page = await context.newPage()
  await page.goto(`http://127.0.0.1:${server.address().port}/`)
  const limits = Object.fromEntries(Object.entries(each.limits ?? {}).map(([name, value]) => [camel(name), value]))
  const dropped = await page.evaluate(
    async ({ host, each, limits }) => {
      const { init } = await import('/sdk.mjs')
      const footfall = init(each.key, { host, path: each.path, pageviews: false, limits })
      for (const call of each.calls) {
        if (call.call === 'capture') {
          const filling = call.fill ? { fill: 'x'.repeat(call.fill) } : {}
          footfall.capture(call.event, { ...call.properties, ...filling })
        } else if (call.call === 'identify') footfall.identify(call.distinct_id, call.set, call.set_once)
        else footfall.alias(call.previous_id, call.distinct_id)
      }
      if (!each.no_flush) await footfall.flush(20)
      else if (!each.end) await new Promise((resolve) => setTimeout(resolve, 2000))
      return footfall.stats.dropped
    },
    { host, each, limits },
  )
  if (each.end) await page.goto('about:blank')
  return [each.id, dropped]
}

const browser = await launch()
const dropped = Object.fromEntries(await Promise.all(cases.map((each) => run(browser, each))))
// Closing the browser stops what its pages left behind, as closing a tab does not.
if (cases.some((each) => each.end)) await new Promise((resolve) => setTimeout(resolve, 3000))
await browser.close()
server.close()
console.log(JSON.stringify(dropped))
