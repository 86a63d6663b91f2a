// posthog-js in a real browser: `CHROMIUM HOST KEY OPTIONS`. Says its ids, and every error that the page had.
import { createServer } from 'node:http'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'

const [executablePath, host, key, options] = process.argv.slice(2)
const bundle = await build({ entryPoints: ['page.mjs'], bundle: true, minify: true, format: 'iife', write: false })
const page_ = `<!doctype html><title>Shop</title><h1>Shop</h1><button id="buy" class="big">Buy it</button>
<form id="form"><input name="secret" value="do not read"></form>
<script>window.settings = ${JSON.stringify({ host, key, options: JSON.parse(options) })}</script><script src="/bundle.js"></script>`
const server = createServer((request, response) => {
  const isScript = request.url === '/bundle.js'
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8')
  response.end(isScript ? bundle.outputFiles[0].contents : page_)
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${server.address().port}`

const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
})
const page = await browser.newPage()
const errors = []
page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
page.on('pageerror', (error) => errors.push(String(error)))
page.on('requestfailed', (request) => errors.push(`${request.url()} ${request.failure()?.errorText}`))
await page.goto(`${origin}/start?utm_source=news`)
const anonymousId = await page.evaluate(() => window.posthog.get_distinct_id())
await page.evaluate(() => {
  window.posthog.register({ theme: 'dark' })
  window.posthog.capture('signup', { plan: 'pro', amount: 12.5, text: 'é 😀 a+b' })
  window.posthog.identify('ann', { name: 'Ann' }, { first: 'yes' })
  window.posthog.group('company', 'acme', { seats: 5 })
  window.posthog.alias('ann-2')
})
await page.click('#buy')
// The queue is sent; posthog-js waits three to six seconds before it tries again, or longer if it is asked to.
if (process.env.RETRY) await page.waitForResponse((response) => response.url().includes('retry_count=1') && response.ok())
else await page.waitForTimeout(1500)
await page.evaluate(() => window.posthog.capture('last words'))
await page.goto('about:blank') // what is queued goes by sendBeacon
await page.waitForTimeout(2000)
await browser.close()
server.close()
console.log(JSON.stringify({ origin, anonymousId, errors }))
