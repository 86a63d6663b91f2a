import type { Interval } from "~/features/insights/document";

/** What every answer over time says about its buckets. */
export interface Bucketed {
  buckets: readonly string[];
  interval: Interval;
  timezone: string;
}

const LENGTH_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000, month: 2_678_400_000 } as const;

/** Whether the last bucket still gets events. */
export function isStillOpen(buckets: readonly Date[], interval: keyof typeof LENGTH_MS, now: Date): boolean {
  const last = buckets.at(-1);
  return last !== undefined && last <= now && now.getTime() < last.getTime() + LENGTH_MS[interval];
}
