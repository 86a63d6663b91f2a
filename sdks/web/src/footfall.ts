import { makeUuid } from './ids'
import { describePage, watchElements, watchNavigation } from './page'
import { Sender } from './sender'
import { Storage } from './storage'
import type { Event, Limits, Options, Properties, Stats } from './types'

const LIMITS: Limits = { queueEvents: 1000, batchEvents: 50, batchBytes: 50_000, flushSeconds: 2 }
const SESSION_IDLE = 30 * 60_000
const SESSION_LONGEST = 24 * 3_600_000

/** What is remembered of the visitor. */
interface Visitor {
  device: string
  id: string
  known: boolean
  registered: Properties
}

type Session = [id: string, began: number, last: number]

/** Sends a page's events to one project of Footfall. Only the constructor throws, and only for what cannot work. */
export class Footfall {
  private readonly storage: Storage
  private readonly sender: Sender
  private visitor: Visitor
  private viewed: [pathname: string, at: number] | undefined

  /** `key` is a project's write key, which may be public. */
  constructor(
    key: string,
    private readonly options: Options = {},
  ) {
    if (!key) throw new Error('footfall: the write key is missing')
    const url = new URL(options.path ?? '/capture', options.host ?? location.origin).href
    const persist = options.persist ?? true
    this.storage = new Storage(`footfall.${key.slice(-8)}.`, persist)
    this.visitor = this.storage.get<Visitor>('visitor') ?? this.makeVisitor()
    this.remember({})
    const pageviews = options.pageviews ?? true
    // Before the sender listens, so that what it sends at the end holds this too.
    if (options.pageleaves ?? pageviews) addEventListener('pagehide', () => this.leave())
    const limits = { ...LIMITS, ...options.limits }
    this.sender = new Sender(url, key, limits, this.storage, options.onDrop, options.compress ?? true)
    if (this.optedOut) this.sender.clear()
    if (pageviews) watchNavigation(() => this.view())
    if (options.autocapture) watchElements((properties) => this.capture('$autocapture', properties))
  }

  /** Queue an event. Its uuid, or undefined if it was dropped. */
  capture(name: string, properties: Properties = {}): string | undefined {
    try {
      return this.queue(name, properties)
    } catch {
      this.sender.drop('invalid', 1)
      return undefined
    }
  }

  /** Say who the visitor is. What they did before, on this device, becomes theirs. */
  identify(distinctId: string, set?: Properties, setOnce?: Properties): string | undefined {
    if (!distinctId || this.optedOut) return undefined
    const properties: Properties = { $set: set, $set_once: setOnce }
    if (!this.visitor.known) properties['$anon_distinct_id'] = this.visitor.id
    this.remember({ id: String(distinctId), known: true })
    return this.capture('$identify', properties)
  }

  /** `previousId` is the same person as the visitor, or as `distinctId`. */
  alias(previousId: string, distinctId = this.visitor.id): string | undefined {
    return this.capture('$create_alias', { alias: previousId, distinct_id: distinctId })
  }

  /** Properties that every event from now on has. */
  register(properties: Properties): void {
    this.remember({ registered: { ...this.visitor.registered, ...properties } })
  }

  unregister(name: string): void {
    const { [name]: _, ...registered } = this.visitor.registered
    this.remember({ registered })
  }

  /** The visitor signs out: a new one begins, with a session of their own. */
  reset(): void {
    this.storage.remove('session')
    this.visitor = this.makeVisitor()
    this.remember({})
  }

  /** Send nothing from now on, and forget what was not sent. Kept for later visits. */
  optOut(): void {
    this.storage.set('out', true)
    this.sender.clear()
    this.storage.remove('visitor')
    this.storage.remove('session')
  }

  optIn(): void {
    this.storage.set('out', false)
    this.remember({})
  }

  /** Whether nothing is sent: by `optOut`, or because the browser says so and nobody opted in. */
  get optedOut(): boolean {
    const said = this.storage.get<boolean>('out')
    if (said !== null) return said
    const { doNotTrack, globalPrivacyControl } = navigator as Navigator & { globalPrivacyControl?: boolean }
    return (this.options.honourSignals ?? true) && (doNotTrack === '1' || globalPrivacyControl === true)
  }

  get distinctId(): string {
    return this.visitor.id
  }

  get sessionId(): string {
    return this.session(Date.now())
  }

  get stats(): Stats {
    return { ...this.sender.stats, dropped: { ...this.sender.stats.dropped } }
  }

  /** Send what is queued. Whether none of it is left after `seconds`. */
  flush(seconds = 10): Promise<boolean> {
    return this.sender.flush(seconds)
  }

  private view(): void {
    const before = this.describeView()
    this.viewed = [location.pathname, Date.now()]
    this.capture('$pageview', before)
  }

  private leave(): void {
    this.capture('$pageleave', this.describeView())
    this.viewed = undefined
  }

  /** The view that ends: where it was, and for how many seconds. */
  private describeView(): Properties {
    if (!this.viewed) return {}
    const [pathname, at] = this.viewed
    return { $prev_pageview_pathname: pathname, $prev_pageview_duration: (Date.now() - at) / 1000 }
  }

  private queue(name: string, properties: Properties): string | undefined {
    if (this.optedOut) return undefined
    if (typeof name !== 'string' || !name.trim()) return this.sender.drop('invalid', 1) || undefined
    const now = Date.now()
    const { distinct_id, ...rest } = properties
    let event: Event | null = {
      event: name,
      distinct_id: typeof distinct_id === 'string' && distinct_id ? distinct_id : this.visitor.id,
      uuid: makeUuid(now),
      timestamp: new Date(now).toISOString(),
      properties: {
        ...describePage(),
        $session_id: this.session(now),
        $device_id: this.visitor.device,
        ...this.visitor.registered,
        ...rest,
      },
    }
    try {
      if (this.options.beforeSend) event = this.options.beforeSend(event)
    } catch {
      event = null // it may be there to take secrets out, so nothing goes without it
    }
    if (!event) return this.sender.drop('before_send', 1) || undefined
    return this.sender.add(event) ? event.uuid : undefined
  }

  /** A session ends after half an hour without an event, and after a day. All tabs share it. */
  private session(now: number): string {
    let session = this.storage.get<Session>('session')
    if (!session || now - session[2] > SESSION_IDLE || now - session[1] > SESSION_LONGEST) session = [makeUuid(now), now, now]
    session[2] = now
    if (!this.optedOut) this.storage.set('session', session)
    return session[0]
  }

  private makeVisitor(): Visitor {
    const id = makeUuid()
    return { device: id, id, known: false, registered: {} }
  }

  private remember(changed: Partial<Visitor>): void {
    this.visitor = { ...this.visitor, ...changed }
    if (!this.optedOut) this.storage.set('visitor', this.visitor)
  }
}
