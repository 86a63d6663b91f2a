/** Any JSON object. */
export type Properties = Record<string, unknown>

export interface Event {
  event: string
  distinct_id: string
  uuid: string
  /** ISO 8601, by the browser's clock; `sent_at` of the body lets Footfall correct it. */
  timestamp: string
  properties: Properties
}

/** Why an event was not sent. README.md explains each. */
export type DropReason = 'queue_full' | 'too_large' | 'invalid' | 'before_send' | 'refused' | 'rejected'

export interface Limits {
  /** Events that wait at most; newer ones are dropped. */
  queueEvents: number
  batchEvents: number
  /** Bytes of a body, near enough. Browsers let a closing page send 64 KiB. */
  batchBytes: number
  flushSeconds: number
}

export interface Options {
  /** Where the Capture API answers, `https://footfall.example`. The page's own origin without one. */
  host?: string
  /** Where on the host, if a proxy renames it. */
  path?: string
  /** Capture `$pageview` at once and at every navigation, of single-page applications too. */
  pageviews?: boolean
  /** Capture `$pageleave` when a page ends. As `pageviews` unless given. */
  pageleaves?: boolean
  /** Capture clicks and submitted forms. What is typed is never read. */
  autocapture?: boolean
  /** Send nothing for who asks so by Do Not Track or Global Privacy Control, until they opt in. */
  honourSignals?: boolean
  /** Keep ids, the session and unsent events in localStorage. Without it a page load is a new visitor. */
  persist?: boolean
  /** Send batches of some kilobytes as gzip, where the browser can. */
  compress?: boolean
  limits?: Partial<Limits>
  /** Sees every event before it is queued; returns it, changed or not, or null to drop it. */
  beforeSend?: (event: Event) => Event | null
  /** Told how many events were dropped, and why. */
  onDrop?: (reason: DropReason, count: number) => void
}

export interface Stats {
  queued: number
  sent: number
  dropped: Partial<Record<DropReason, number>>
}
