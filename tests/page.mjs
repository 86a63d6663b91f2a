// A page with the web SDK from one script tag, in a real Chromium: `TAG-ATTRIBUTES…` as JSON; commands on stdin, answers on stdout.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { launch } from '../sdks/web/tests/browser.mjs'

const attributes = Object.entries(JSON.parse(process.argv[2])).map(([name, value]) => `${name}="${value}"`)
const server = createServer((_, response) => {
  response.setHeader('content-type', 'text/html; charset=utf-8')
  // A page that isolates itself loads only what is meant for others.
  response.setHeader('cross-origin-embedder-policy', 'require-corp')
  response.end(`<!doctype html><title>Shop</title><script defer ${attributes.join(' ')}></script>`)
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const browser = await launch()
const page = await browser.newPage()
const errors = []
page.on('pageerror', (error) => errors.push(String(error)))

const commands = {
  // Of the pages that are opened from now on.
  shiftClock: (milliseconds) =>
    page.addInitScript((shift) => {
      const Real = Date
      window.Date = class extends Real {
        constructor(...given) {
          if (given.length) super(...given)
          else super(Real.now() + shift)
        }
        static now() {
          return Real.now() + shift
        }
      }
    }, milliseconds),
  open: async (path) => {
    await page.goto(`http://127.0.0.1:${server.address().port}${path}`)
    await page.waitForFunction(() => window.footfall)
    return page.url()
  },
  capture: (name) => page.evaluate((name) => window.footfall.capture(name), name),
  // Captures all the time, and notes in storage what it captured, so that no reload forgets it.
  keepCapturing: () =>
    page.evaluate(() => {
      window.capturing = setInterval(() => {
        const uuid = window.footfall.capture('tick')
        localStorage.captured = `${localStorage.captured ?? ''}${uuid} `
      }, 100) // a minute of these is less than a full queue
    }),
  stopCapturing: () => page.evaluate(() => (clearInterval(window.capturing), localStorage.captured.trim().split(' '))),
  flush: (seconds) => page.evaluate((seconds) => window.footfall.flush(seconds), seconds),
  stats: () => page.evaluate(() => window.footfall.stats),
  leave: async () => {
    await page.goto('about:blank')
    await page.waitForTimeout(500)
  },
  errors: () => errors,
}
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...given] = JSON.parse(line)
  console.log(JSON.stringify((await commands[command](...given)) ?? null))
}
await browser.close()
server.close()
