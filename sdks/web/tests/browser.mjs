// A real Chromium, pages, and a Capture API that remembers and answers as it is told.
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { chromium } from 'playwright-core'

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  })
}

/**
 * `answers` are statuses for the next requests, then 200; 0 is no answer, which is also what events get that `ignores` names.
 * `pages` are served by their paths.
 */
export async function startSite(pages = {}) {
  const site = { requests: [], answers: [], ignores: () => false, origin: '', stop: () => server.close() }
  const files = {
    '/sdk.mjs': ['text/javascript', readFileSync('dist/footfall.mjs')],
    '/assets/visits.js': ['text/javascript', readFileSync('dist/footfall.js')], // renamed, as some must
  }
  const server = createServer((request, response) => {
    const path = request.url.split('?')[0]
    if (request.method !== 'POST') {
      const [type, body] = files[path] ?? ['text/html; charset=utf-8', pages[path] ?? PAGE]
      response.setHeader('content-type', type)
      return response.end(body)
    }
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      const sent = Buffer.concat(parts)
      const packed = sent[0] === 0x1f
      const body = JSON.parse((packed ? gunzipSync(sent) : sent).toString())
      const status = site.ignores(body.batch) ? 0 : (site.answers.shift() ?? 200)
      site.requests.push({ path, status, type: request.headers['content-type'], packed, bytes: sent.length, body })
      if (!status) return request.socket.destroy()
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ status: 'ok', accepted: body.batch.length, rejected: [] }))
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  site.origin = `http://127.0.0.1:${server.address().port}`
  // As in Footfall, a uuid counts once.
  site.events = () => {
    const events = site.requests.filter((each) => each.status === 200).flatMap((each) => each.body.batch)
    return events.filter((event, at) => events.findIndex((other) => other.uuid === event.uuid) === at)
  }
  site.names = () => site.events().map((event) => event.event)
  site.wait = async (condition, what = 'it') => {
    for (let n = 0; n < 200; n++) {
      if (condition()) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`not within ten seconds: ${what}; there is ${JSON.stringify(site.names())}`)
  }
  return site
}

const PAGE = `<!doctype html><title>Shop</title>
<button id="buy" class="big red">Buy <b>it</b></button>
<a id="more" href="/more?token=secret" onclick="event.preventDefault()">More</a>
<form id="form" action="/pay?card=4111" onsubmit="event.preventDefault()">
  <input id="card" name="card" value="4111 1111"><textarea id="note">my secret</textarea>
  <input id="submit" type="submit" value="do not read me"></form>
<div data-footfall-ignore><button id="quiet">Quiet</button></div>
<script type="module">
  import { init } from '/sdk.mjs'
  const options = JSON.parse(new URLSearchParams(location.search).get('options') ?? 'null')
  if (options) window.footfall = init('ffw_test', { limits: { flushSeconds: 0.2 }, ...options })
</script>`

/** The address of a page that begins with `options`. */
export const at = (site, options = {}, path = '/', more = '') =>
  `${site.origin}${path}?${more}options=${encodeURIComponent(JSON.stringify(options))}`
