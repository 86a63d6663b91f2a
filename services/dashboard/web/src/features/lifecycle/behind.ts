import type { Schemas } from "~/api/client";
import { eventLabel } from "~/features/insights/words";
import { bucketRange, type Behind } from "~/features/people/behind";
import { bucketName } from "~/format/times";

/** Everybody who was active in an interval. Who of them was new and who came back, a list cannot tell. */
export function peopleBehindLifecycle(query: Schemas["LifecycleQuery"], answer: Schemas["LifecycleAnswer"], index: number): Behind {
  return {
    title: `${eventLabel(query.event)}, ${bucketName(new Date(answer.buckets[index] ?? 0), answer.interval, answer.timezone)}`,
    note: "Everybody with a profile who was active then: new, returning and resurrecting people together. Dormant ones did nothing then.",
    event: query.event ?? null,
    filters: query.filters ?? [],
    ...bucketRange(answer.buckets, index, query.date_to),
  };
}
