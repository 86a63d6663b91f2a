// The SDK in a real Chromium.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { at, launch, startSite } from './browser.mjs'

// Most of their time is waiting, so several run at once, each with a site and a browser profile of its own.
const tests = []
const test = (name, run) => tests.push([name, run])

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

async function open(t, options = {}, { more = '', context = {} } = {}) {
  const site = await startSite()
  const visits = await browser.newContext(context)
  t.after(async () => {
    site.stop()
    await visits.close()
  }, { timeout: 10_000 })
  const page = await visits.newPage()
  page.errors = []
  page.on('pageerror', (error) => page.errors.push(String(error)))
  await page.goto(at(site, options, '/', more))
  await page.waitForFunction(() => window.footfall)
  return { site, page, visits }
}

const last = (site, name) => site.events().findLast((event) => event.event === name)

test('what a page sends is what it was', async (t) => {
  const { site, page } = await open(t, {}, { more: 'utm_source=news&' })
  await page.evaluate(() => window.footfall.capture('signup', { plan: 'pro' }))
  await site.wait(() => site.events().length === 2)

  const [{ body, path, type }] = site.requests
  assert.deepEqual([path, type, Object.keys(body)], ['/capture', 'text/plain', ['api_key', 'sent_at', 'batch']])
  assert.equal(body.api_key, 'ffw_test')
  const [pageview, signup] = site.events()
  assert.deepEqual(Object.keys(signup), ['event', 'distinct_id', 'uuid', 'timestamp', 'properties'])
  assert.equal(pageview.event, '$pageview')
  const { $session_id, $device_id, $timezone, $current_url, $viewport_width, $viewport_height, ...properties } = signup.properties
  assert.deepEqual(properties, {
    $host: new URL(site.origin).host, $pathname: '/', title: 'Shop', $referrer: '$direct', $referring_domain: '$direct',
    $screen_width: 1280, $screen_height: 720, $browser_language: 'en-US', $lib: 'footfall-web', $lib_version: '0.1.0',
    utm_source: 'news', plan: 'pro',
  })
  assert.equal($current_url, page.url())
  assert.equal($session_id, pageview.properties.$session_id)
  assert.equal($device_id, signup.distinct_id)
  assert.ok($timezone && $viewport_width && $viewport_height)
  assert.deepEqual(page.errors, [])
})

test('every navigation is a view, without a load too', async (t) => {
  const { site, page } = await open(t)
  await page.evaluate(() => {
    history.pushState({}, '', '/a')
    history.pushState({}, '', '/a') // the same page
    history.replaceState({}, '', '/a#part') // and still
    history.pushState({}, '', '/b?x=1')
  })
  await page.goBack()
  await site.wait(() => site.events().length === 4)
  assert.deepEqual(site.events().map((event) => event.properties.$pathname), ['/', '/a', '/b', '/a'])
  const before = site.events().map((event) => event.properties.$prev_pageview_pathname)
  assert.deepEqual(before, [undefined, '/', '/a', '/b'])
})

test('how long somebody stayed is told when the page ends', async (t) => {
  const { site, page } = await open(t)
  await page.waitForTimeout(300)
  await page.evaluate(() => history.pushState({}, '', '/next'))
  await page.goto('about:blank')
  await site.wait(() => site.events().length === 3)
  const [, next, leave] = site.events()
  assert.deepEqual(site.names(), ['$pageview', '$pageview', '$pageleave'])
  assert.ok(next.properties.$prev_pageview_duration >= 0.3 && next.properties.$prev_pageview_duration < 60)
  assert.equal(leave.properties.$prev_pageview_pathname, '/next')
  assert.equal(leave.properties.$current_url, `${site.origin}/next`)
  assert.equal(typeof leave.properties.$prev_pageview_duration, 'number')
})

test('a page may keep its end to itself, or tell of nothing else', async (t) => {
  const cases = [
    [{ pageleaves: false }, ['$pageview']],
    [{ pageviews: false, pageleaves: true }, ['$pageleave']],
  ]
  for (const [options, names] of cases) {
    const { site, page } = await open(t, { ...options, limits: { flushSeconds: 60 } })
    await page.goto('about:blank')
    await page.waitForTimeout(300)
    assert.deepEqual(site.names(), names, JSON.stringify(options))
  }
})

test('large batches travel as gzip, small ones and the last words as they are', async (t) => {
  const { site, page } = await open(t, { pageviews: false, limits: { flushSeconds: 60 } })
  const send = (words) => page.evaluate((words) => (window.footfall.capture('a', { words }), window.footfall.flush()), words)
  await send('short')
  await send('many words '.repeat(1000))
  await page.evaluate(() => window.footfall.capture('last', { words: 'many words '.repeat(1000) }))
  await page.goto('about:blank')
  await site.wait(() => site.events().length === 3)
  assert.deepEqual(site.requests.map((each) => each.packed), [false, true, false])
  assert.deepEqual(new Set(site.requests.map((each) => each.type)), new Set(['text/plain']))
  assert.ok(site.requests[1].bytes < 1000)
  assert.equal(site.events()[1].properties.words, 'many words '.repeat(1000))
})

test('a browser without compression sends as it is, and so does who asks for it', async (t) => {
  const { site, page } = await open(t, { pageviews: false, compress: false })
  const large = () => (window.footfall.capture('a', { words: 'many words '.repeat(1000) }), window.footfall.flush())
  await page.evaluate(large)
  await page.addInitScript(() => delete window.CompressionStream)
  await page.goto(at(site, { pageviews: false }))
  await page.waitForFunction(() => window.footfall)
  await page.evaluate(large)
  assert.deepEqual(site.requests.map((each) => each.packed), [false, false])
})

test('what is being packed when a page ends is sent', async (t) => {
  const { site, page } = await open(t, { pageviews: false, limits: { flushSeconds: 60 } })
  await page.evaluate(() => {
    // Not while somebody waits for an answer from the page: it may never come.
    setTimeout(() => {
      window.footfall.capture('a', { words: 'many words '.repeat(1000) })
      void window.footfall.flush()
      location.href = 'about:blank'
    }, 100)
  })
  await page.waitForURL('about:blank') // a browser closes no page surely that is about to be another
  await site.wait(() => site.events().length === 1)
  assert.deepEqual(site.names(), ['a'])
})

test('who somebody is: anonymous, identified, aliased, signed out', async (t) => {
  const { site, page } = await open(t, { pageviews: false })
  const anonymous = await page.evaluate(() => {
    const { footfall } = window
    const before = footfall.distinctId
    footfall.register({ theme: 'dark', gone: 1 })
    footfall.unregister('gone')
    footfall.capture('before')
    footfall.identify('ann', { name: 'Ann' }, { first: 'yes' })
    footfall.capture('after')
    footfall.identify('ann')
    footfall.alias('ann@example.com')
    footfall.reset()
    footfall.capture('somebody else')
    return before
  })
  await site.wait(() => site.events().length === 6)

  const [before, identify, , again, alias, other] = site.events()
  assert.deepEqual(site.events().map((event) => event.distinct_id).slice(0, 5), [anonymous, 'ann', 'ann', 'ann', 'ann'])
  assert.equal(identify.properties.$anon_distinct_id, anonymous)
  assert.deepEqual([identify.properties.$set, identify.properties.$set_once], [{ name: 'Ann' }, { first: 'yes' }])
  assert.equal(again.properties.$anon_distinct_id, undefined)
  assert.deepEqual([alias.event, alias.properties.alias], ['$create_alias', 'ann@example.com'])
  assert.deepEqual([before.properties.theme, before.properties.gone], ['dark', undefined])
  assert.equal(other.properties.theme, undefined)
  assert.ok(![anonymous, 'ann'].includes(other.distinct_id))
  assert.notEqual(other.properties.$session_id, before.properties.$session_id)
})

test('a visitor and a session outlive the page, and a session ends when nothing happens', async (t) => {
  const { site, page } = await open(t)
  await page.evaluate(() => window.footfall.identify('ann'))
  await site.wait(() => site.events().length === 2)
  await page.reload()
  await site.wait(() => site.events().length === 4)
  await page.evaluate(() => {
    const key = Object.keys(localStorage).find((name) => name.endsWith('.session'))
    const [id, began, last] = JSON.parse(localStorage[key])
    localStorage[key] = JSON.stringify([id, began, last - 31 * 60_000])
    window.footfall.capture('later')
  })
  await site.wait(() => site.events().length === 5)

  const sessions = site.events().map((event) => event.properties.$session_id)
  assert.deepEqual(site.events().map((event) => event.distinct_id).slice(1), ['ann', 'ann', 'ann', 'ann'])
  assert.deepEqual(new Set(sessions.slice(0, 4)).size, 1)
  assert.notEqual(sessions[4], sessions[0])
})

test('clicks and forms, but never what is typed', async (t) => {
  const { site, page } = await open(t, { pageviews: false, autocapture: true })
  await page.fill('#card', '4242 4242')
  await page.fill('#note', 'a secret of mine')
  for (const id of ['#buy', '#more', '#submit', '#quiet', '#card']) await page.click(id)
  await site.wait(() => site.events().length === 4)

  const seen = site.events().map(({ properties }) => [
    properties.$event_type, properties.$el_tag, properties.$el_id, properties.$el_text, properties.$el_href,
  ])
  assert.deepEqual(seen, [
    ['click', 'button', 'buy', 'Buy it', undefined],
    ['click', 'a', 'more', 'More', '/more'],
    ['click', 'input', 'submit', undefined, undefined],
    ['submit', 'form', 'form', undefined, '/pay'],
  ])
  assert.equal(site.events()[0].properties.$el_class, 'big red')
  const text = JSON.stringify(site.events().map(({ properties: { $current_url, ...rest } }) => rest))
  for (const secret of ['4111', '4242', 'secret', 'do not read']) assert.ok(!text.includes(secret), secret)
})

test('opting out forgets, and lasts', async (t) => {
  const { site, page } = await open(t, { limits: { flushSeconds: 60 } })
  const kept = await page.evaluate(() => {
    window.footfall.optOut()
    window.footfall.capture('a')
    window.footfall.identify('ann')
    return Object.keys(localStorage)
  })
  assert.deepEqual(kept.map((name) => name.split('.').at(-1)), ['out'])
  await page.reload()
  await page.evaluate(() => window.footfall.flush(1))
  assert.deepEqual(site.requests, [])
  await page.evaluate(() => {
    window.footfall.optIn()
    window.footfall.capture('back')
    return window.footfall.flush()
  })
  assert.deepEqual(site.names(), ['back'])
})

for (const [name, signal] of [
  ['Do Not Track', "Object.defineProperty(navigator, 'doNotTrack', { value: '1' })"],
  ['Global Privacy Control', "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })"],
]) {
  test(`${name} is honoured until somebody opts in`, async (t) => {
    const { site, page, visits } = await open(t, { honourSignals: false, pageleaves: false })
    await site.wait(() => site.events().length === 1)
    await visits.clearCookies()
    await page.evaluate(() => localStorage.clear())
    await page.addInitScript(signal)
    await page.goto(at(site))
    await page.waitForFunction(() => window.footfall)
    await page.evaluate(() => window.footfall.flush(1))
    assert.equal(site.events().length, 1)
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), [])
    await page.evaluate(() => {
      window.footfall.optIn()
      window.footfall.capture('agreed')
      return window.footfall.flush()
    })
    assert.equal(site.names().at(-1), 'agreed')
  })
}

test('what the browser ends along with the page is sent all the same, and stays for the next page', async (t) => {
  const { site, page, visits } = await open(t, { pageviews: false, pageleaves: true })
  site.ignores = (events) => !events.some(({ event }) => event === '$pageleave')
  await page.evaluate(() => window.footfall.capture('a'))
  await site.wait(() => site.requests.length >= 3) // so the page knows that the first has no answer, even if the browser repeated it
  await page.goto('about:blank')
  await site.wait(() => site.events().length === 2)
  assert.deepEqual(site.names(), ['a', '$pageleave'])
  const before = site.requests.length
  const next = await visits.newPage()
  await next.goto(at(site, { pageviews: false }))
  await site.wait(() => site.requests.length > before)
  assert.deepEqual(site.names(), ['a', '$pageleave'])
})

test('what is queued when a page ends is sent', async (t) => {
  const { site, page } = await open(t, { limits: { flushSeconds: 60 } })
  await page.evaluate(() => window.footfall.capture('last words'))
  await page.goto('about:blank')
  await site.wait(() => site.events().length === 3)
  assert.deepEqual(site.names(), ['$pageview', 'last words', '$pageleave'])
})

test('what a killed tab had queued is sent by the next page', async (t) => {
  const { site, page, visits } = await open(t, { pageviews: false, limits: { flushSeconds: 60 } })
  const uuid = await page.evaluate(() => window.footfall.capture('before the crash'))
  const devtools = await visits.newCDPSession(page)
  devtools.send('Page.crash').catch(() => {})
  await page.waitForEvent('crash')
  assert.deepEqual(site.requests, [])

  const next = await visits.newPage()
  // Ten seconds must have passed, which nobody wants to wait for.
  await next.addInitScript(() => {
    const now = Date.now
    Date.now = () => now() + 11_000
  })
  await next.goto(at(site, { pageviews: false }))
  await site.wait(() => site.events().length === 1)
  assert.equal(last(site, 'before the crash').uuid, uuid)
})

test('while Footfall is down events wait, over page loads too, and keep their uuids', async (t) => {
  const { site, page } = await open(t, { pageviews: false })
  site.answers = [503, 0, 503, 503, 503, 503, 503, 503]
  const uuid = await page.evaluate(() => window.footfall.capture('a'))
  await site.wait(() => site.requests.length >= 2)
  await page.reload()
  await page.evaluate(() => window.footfall.capture('b'))
  site.answers = []
  await site.wait(() => site.names().includes('a') && site.names().includes('b'))
  assert.equal(last(site, 'a').uuid, uuid)
  const tries = site.requests.flatMap((each) => each.body.batch).filter((event) => event.event === 'a')
  assert.ok(tries.length >= 3)
  assert.equal(new Set(tries.map((event) => event.uuid)).size, 1)
})

test('offline events wait for the network', async (t) => {
  const { site, page, visits } = await open(t, { pageviews: false })
  await visits.setOffline(true)
  await page.evaluate(() => window.footfall.capture('in a tunnel'))
  await page.waitForTimeout(600)
  assert.deepEqual(site.requests, [])
  await visits.setOffline(false)
  await site.wait(() => site.events().length === 1)
})

test('hooks of the page change, drop and are told', async (t) => {
  const { site, page } = await open(t, { pageviews: false })
  const told = await page.evaluate(async () => {
    const { init } = await import('/sdk.mjs')
    const told = []
    const footfall = init('ffw_hooks', {
      pageviews: false,
      persist: false,
      beforeSend: (event) => {
        if (event.event === 'broken') throw new Error()
        delete event.properties.card
        return event.event === 'secret' ? null : event
      },
      onDrop: (reason, count) => told.push([reason, count]),
    })
    footfall.capture('pay', { card: '4111', amount: 5 })
    footfall.capture('secret')
    footfall.capture('broken')
    footfall.capture('')
    const circle = {}
    circle.self = circle
    footfall.capture('circle', circle)
    footfall.capture('big', { n: 10n })
    await footfall.flush()
    return told
  })
  assert.deepEqual(site.names(), ['pay'])
  assert.equal(site.events()[0].properties.card, undefined)
  assert.deepEqual(told, [['before_send', 1], ['before_send', 1], ['invalid', 1], ['invalid', 1], ['invalid', 1]])
})

test('storage that is forbidden or full costs memory only', async (t) => {
  const { site, page } = await open(t, { pageviews: false })
  await page.addInitScript(() => Object.defineProperty(window, 'localStorage', { get: () => { throw new Error('no') } }))
  await page.goto(at(site))
  await page.waitForFunction(() => window.footfall)
  await page.evaluate(() => window.footfall.capture('a'))
  await site.wait(() => site.names().includes('a'))
  assert.deepEqual(page.errors, [])
})

test('one tag, renamed in every way', async (t) => {
  const { visits } = await open(t)
  const tag = (more) => `<!doctype html><title>T</title><button id="b">B</button>
    <script defer src="/assets/visits.js" data-key="ffw_tag" data-path="/hello" data-name="visits" ${more}></script>`
  const site = await startSite({ '/on': tag('data-autocapture="true"'), '/off': tag('data-pageviews="false"') })
  t.after(() => site.stop())
  const page = await visits.newPage()
  await page.goto(`${site.origin}/on`)
  await page.click('#b')
  await page.evaluate(() => window.visits.flush())
  assert.deepEqual(site.names(), ['$pageview', '$autocapture'])
  assert.equal(site.requests[0].path, '/hello')
  await page.goto(`${site.origin}/off`)
  await page.evaluate(() => window.visits.flush())
  await page.goto('about:blank')
  await site.wait(() => site.events().length === 3)
  assert.equal(site.names().at(-1), '$pageleave') // of the first page alone
})

describe('in Chromium', { concurrency: 3 }, () => {
  for (const [name, run] of tests) it(name, { timeout: 30_000 }, run) // what hangs has a name
})
