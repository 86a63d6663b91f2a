import type { Schemas } from "~/api/client";
import { STATUSES } from "~/features/lifecycle/document";
import type { Behind } from "~/features/people/behind";
import { bucketName } from "~/format/times";

/** Who is in each state in a bucket; the state `first` at the beginning. */
export function behindLifecycle(answer: Schemas["LifecycleAnswer"], place: number, first: string | null): Behind[] {
  const bucket = answer.buckets[place] ?? "";
  const when = bucketName(new Date(bucket), answer.interval, answer.timezone);
  const rank = ({ key }: { key: string }) => (key === first ? 0 : 1);
  return [...STATUSES]
    .sort((one, other) => rank(one) - rank(other))
    .map(({ key, label }) => ({ title: `${label}, ${when}`, point: { bucket, state: key } }));
}
