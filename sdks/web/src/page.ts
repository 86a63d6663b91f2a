import type { Properties } from './types'

/** What is true of the page, in the words that PostHog's SDKs use too. */
export function describePage(): Properties {
  const { href, host, pathname, search } = location
  const found: Properties = {
    $current_url: href,
    $host: host,
    $pathname: pathname,
    title: document.title,
    $referrer: document.referrer || '$direct',
    $referring_domain: hostOf(document.referrer) || '$direct',
    $screen_width: screen.width,
    $screen_height: screen.height,
    $viewport_width: innerWidth,
    $viewport_height: innerHeight,
    $browser_language: navigator.language,
    $timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    $lib: 'footfall-web',
    $lib_version: '0.1.0',
  }
  for (const [name, value] of new URLSearchParams(search)) if (/^utm_\w{1,20}$/.test(name)) found[name] = value
  return found
}

function hostOf(url: string): string {
  try {
    return new URL(url).host
  } catch {
    return ''
  }
}

/** Calls `navigated` now, and whenever the path or query changes, without a load too. */
export function watchNavigation(navigated: () => void): void {
  let last = ''
  const check = (): void => {
    const here = location.pathname + location.search
    if (here === last) return
    last = here
    navigated()
  }
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name]
    history[name] = function (this: History, ...given: Parameters<History['pushState']>) {
      original.apply(this, given)
      check()
    }
  }
  addEventListener('popstate', check)
  addEventListener('pageshow', (event) => {
    if (!event.persisted) return
    last = '' // back from the browser's cache is a view
    check()
  })
  const { prerendering } = document as { prerendering?: boolean }
  if (prerendering) document.addEventListener('prerenderingchange', check, { once: true })
  else check()
}

const CLICKED = 'a,button,[role=button],input[type=submit],input[type=button],summary'
const PRIVATE = '[data-footfall-ignore]'
const TYPED_INTO = 'input,textarea,select,[contenteditable]'

/** Calls `happened` for clicks on what can be clicked and for submitted forms. What is typed is never read. */
export function watchElements(happened: (properties: Properties) => void): void {
  const tell = (type: string, element: Element | null | undefined): void => {
    if (!element || element.closest(PRIVATE)) return
    const attribute = (name: string): string | undefined => element.getAttribute(name)?.split('?')[0]?.slice(0, 200)
    const isTypedInto = element.matches(TYPED_INTO) || element.querySelector(TYPED_INTO)
    happened({
      $event_type: type,
      $el_tag: element.tagName.toLowerCase(),
      $el_id: attribute('id'),
      $el_class: attribute('class'),
      $el_name: attribute('name'),
      $el_href: attribute('href') ?? attribute('action'),
      $el_text: isTypedInto ? undefined : element.textContent?.trim().replace(/\s+/g, ' ').slice(0, 100),
    })
  }
  const elementOf = (event: globalThis.Event): Element | null => (event.target instanceof Element ? event.target : null)
  document.addEventListener('click', (event) => tell('click', elementOf(event)?.closest(CLICKED)), true)
  document.addEventListener('submit', (event) => tell('submit', elementOf(event)), true)
}
