import { makeUuid } from './ids'
import { findDelay, judge, readRetryAfter } from './retries'
import type { Storage } from './storage'
import type { DropReason, Event, Limits, Stats } from './types'

/** One event's JSON; Footfall takes no larger ones. */
const MAX_EVENT_BYTES = 1024 * 1024
/** Browsers let a page that ends finish requests of 64 KiB in all. */
const MAX_KEEPALIVE_BYTES = 60_000
/** What a few events take. Below it, packing costs more than it saves. */
const MIN_GZIP_BYTES = 4096
/** A stored queue that nobody wrote for so long belongs to a page that is gone. Milliseconds. */
const ABANDONED = 10_000
const BEAT = 2_000

type Kept = [at: number, events: Event[]]

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
const countBytes = (text: string): number => encode(text).length

/**
 * The queue of one page, and what empties it: batch by batch, in order.
 *
 * Events stay in the queue, and in storage, until they are answered for. A queue whose page is gone is taken over by
 * the next page of the site; should both send an event, its uuid makes it one.
 */
export class Sender {
  readonly stats: Stats = { queued: 0, sent: 0, dropped: {} }
  private queue: Event[] = []
  private bytes = 0
  private sending = 0 // events at the queue's beginning that are on their way
  private failed: number | null = null // the last try's status, if it is to be made again
  private pumping = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private wake: (() => void) | undefined
  private done: Array<() => void> = []
  private readonly name = 'queue.' + makeUuid()

  constructor(
    private readonly url: string,
    private readonly key: string,
    private readonly limits: Limits,
    private readonly storage: Storage,
    private readonly onDrop: ((reason: DropReason, count: number) => void) | undefined,
    private readonly compress: boolean,
  ) {
    this.adopt()
    setTimeout(() => this.adopt(), ABANDONED + BEAT)
    setInterval(() => this.queue.length && this.keep(), BEAT)
    addEventListener('online', () => this.wake?.())
    addEventListener('pagehide', () => this.leave())
    document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && void this.pump())
  }

  /** Queue an event. Whether there was room. */
  add(event: Event): boolean {
    let size: number
    try {
      size = countBytes(JSON.stringify(event))
    } catch {
      return this.drop('invalid', 1)
    }
    if (size > MAX_EVENT_BYTES) return this.drop('too_large', 1)
    if (this.queue.length >= this.limits.queueEvents) return this.drop('queue_full', 1)
    this.queue.push(event)
    this.bytes += size
    // A long queue is written by the beat alone: writing it for every event would hold up the page.
    if (this.queue.length <= this.limits.batchEvents) this.keep()
    else this.stats.queued = this.queue.length
    if (this.queue.length - this.sending >= this.limits.batchEvents || this.bytes >= this.limits.batchBytes) void this.pump()
    else this.timer ??= setTimeout(() => void this.pump(), this.limits.flushSeconds * 1000)
    return true
  }

  /** Count events that will not be sent. Always false. */
  drop(reason: DropReason, count: number): false {
    this.stats.dropped[reason] = (this.stats.dropped[reason] ?? 0) + count
    try {
      this.onDrop?.(reason, count)
    } catch {
      // it is theirs
    }
    return false
  }

  /** Send what is queued; whether none of it is left after `seconds`. */
  async flush(seconds: number): Promise<boolean> {
    void this.pump()
    if (this.queue.length) {
      await Promise.race([
        new Promise<void>((resolve) => this.done.push(resolve)),
        new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
      ])
    }
    return !this.queue.length
  }

  /** Forget what is queued. */
  clear(): void {
    this.queue = []
    this.bytes = this.sending = 0
    for (const name of this.storage.names('queue.')) this.storage.remove(name)
    this.keep()
  }

  private keep(): void {
    this.stats.queued = this.queue.length
    if (this.queue.length) this.storage.set(this.name, [Date.now(), this.queue] satisfies Kept)
    else this.storage.remove(this.name)
  }

  /** Take over what pages that are gone have left. */
  private adopt(): void {
    for (const name of this.storage.names('queue.')) {
      const kept = this.storage.get<Kept>(name)
      if (name === this.name || !kept || Date.now() - kept[0] < ABANDONED) continue
      this.storage.remove(name)
      this.queue.push(...kept[1].slice(0, this.limits.queueEvents - this.queue.length))
    }
    if (this.queue.length) {
      this.keep()
      void this.pump()
    }
  }

  private async pump(): Promise<void> {
    if (this.pumping) return
    this.pumping = true
    clearTimeout(this.timer)
    this.timer = undefined
    while (this.queue.length) {
      const batch = this.take(this.queue)
      const sent = await this.deliver(batch)
      this.stats.sent += sent
      // Not by their number: the queue may have been cleared meanwhile.
      this.queue = this.queue.filter((event) => !batch.includes(event))
      this.bytes = this.sending = 0
      this.keep()
    }
    this.pumping = false
    for (const resolve of this.done.splice(0)) resolve()
  }

  private take(events: Event[]): Event[] {
    let size = 0
    let count = 0
    for (const event of events.slice(0, this.limits.batchEvents)) {
      size += countBytes(JSON.stringify(event))
      if (count && size > this.limits.batchBytes) break
      count++
    }
    return events.slice(0, count)
  }

  private body(batch: Event[]): string {
    return JSON.stringify({ api_key: this.key, sent_at: new Date().toISOString(), batch })
  }

  /** Send a batch, in halves if it must be. How many of its events were sent; the others were dropped. */
  private async deliver(batch: Event[]): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const body = await this.pack(this.body(batch))
      // Cleared meanwhile, or sent as the page seemed to end.
      if (!this.queue.includes(batch[0]!)) return 0
      this.sending ||= batch.length
      const [status, retryAfter, rejected] = await this.post(body)
      const verdict = judge(status)
      this.failed = verdict === 'retry' ? status : null
      if (verdict === 'sent') {
        if (rejected) this.drop('rejected', rejected)
        return batch.length - rejected
      }
      if (verdict === 'split' && batch.length > 1) {
        const half = batch.length >> 1
        return (await this.deliver(batch.slice(0, half))) + (await this.deliver(batch.slice(half)))
      }
      if (verdict !== 'retry') {
        this.drop(verdict === 'split' ? 'too_large' : 'refused', batch.length)
        return 0
      }
      await this.sleep(findDelay(attempt, readRetryAfter(retryAfter, Date.now()), Math.random()), retryAfter)
    }
  }

  /** Gzip needs no header, which would cost a preflight: its first bytes say what it is. */
  private async pack(body: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = encode(body)
    if (!this.compress || bytes.length < MIN_GZIP_BYTES) return bytes
    try {
      const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))
      return new Uint8Array(await new Response(packed).arrayBuffer())
    } catch {
      return bytes // an older browser
    }
  }

  /** The status (0 without an answer), `Retry-After`, and how many events could not be stored. */
  private async post(body: Uint8Array<ArrayBuffer>): Promise<[number, string | null, number]> {
    try {
      // A plain text needs no preflight, and the key is in the body for the same reason.
      const answer = await fetch(this.url, {
        method: 'POST',
        body,
        credentials: 'omit',
        keepalive: body.length < MAX_KEEPALIVE_BYTES,
        headers: { 'content-type': 'text/plain' },
      })
      const said = answer.ok ? await answer.json().catch(() => null) : null
      const rejected: unknown = said?.rejected
      return [answer.status, answer.headers.get('retry-after'), Array.isArray(rejected) ? rejected.length : 0]
    } catch {
      return [0, null, 0]
    }
  }

  /** Being online again ends the pause, unless Footfall asked for it. */
  private async sleep(milliseconds: number, asked: string | null): Promise<void> {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, milliseconds)
      if (!asked) this.wake = resolve
    })
    this.wake = undefined
  }

  /**
   * The page ends: what is not on its way goes by beacon, or stays for the next page if Footfall asked for a pause.
   * Without an answer, Footfall is away, or the browser ended the request along with the page: then both.
   */
  private leave(): void {
    const doubtful = this.failed === 0
    const waiting = this.failed || navigator.onLine === false ? [] : this.queue.slice(doubtful ? 0 : this.sending)
    while (waiting.length) {
      const batch = this.take(waiting)
      const body = new Blob([this.body(batch)], { type: 'text/plain' })
      if (!navigator.sendBeacon(this.url, body)) break
      waiting.splice(0, batch.length)
      if (doubtful) continue
      this.stats.sent += batch.length
      this.queue = this.queue.filter((event) => !batch.includes(event))
    }
    this.keep()
    if (this.queue.length) this.storage.set(this.name, [0, this.queue] satisfies Kept)
  }
}
