/** What an answer means for the batch that it answers. The same table as in every SDK of Footfall. */

export type Verdict = 'sent' | 'retry' | 'split' | 'refused'

/** `status` is 0 when there was no answer. */
export function judge(status: number): Verdict {
  if (status >= 200 && status < 300) return 'sent'
  if (status === 413) return 'split'
  return status === 0 || status === 408 || status === 429 || status >= 500 ? 'retry' : 'refused'
}

/** Milliseconds before the next try, after `attempt` (from 1) failed ones. `random` is from 0 to 1. */
export function findDelay(attempt: number, retryAfter: number | null, random: number): number {
  const delay = Math.min(30_000, 500 * 2 ** (attempt - 1)) * (0.5 + random / 2)
  return retryAfter === null ? delay : Math.max(retryAfter * (1 + random / 10), delay)
}

/** Milliseconds that `Retry-After` asks for, at most five minutes: seconds, or a date. Null if it says nothing. */
export function readRetryAfter(text: string | null, now: number): number | null {
  if (!text) return null
  const seconds = Number(text)
  const wait = Number.isNaN(seconds) ? Date.parse(text) - now : seconds * 1000
  return Number.isNaN(wait) ? null : Math.min(Math.max(wait, 0), 300_000)
}
