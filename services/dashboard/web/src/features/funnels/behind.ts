import type { Schemas } from "~/api/client";
import type { FunnelGroup } from "~/features/funnels/FunnelChart";
import type { Behind } from "~/features/people/behind";
import { duration } from "~/format/numbers";
import { bucketName } from "~/format/times";

type Outcome = NonNullable<Schemas["FunnelStepPoint"]["outcome"]>;

const EVERYBODY: Pick<FunnelGroup, "label" | "value"> = { label: null };

/** Who got to a step, or to that step and no further. */
export function behindStep({ index, name }: Schemas["FunnelStep"], outcome: Outcome, { label, value } = EVERYBODY): Behind {
  const what = `${outcome === "reached" ? "Got to" : "Lost after"} ${index + 1}. ${name}`;
  return {
    title: label === null ? what : `${label}: ${what}`,
    point: { index, outcome, ...(value === undefined ? {} : { breakdown_value: value }) },
  };
}

export const binName = (bin: Schemas["Bin"]) => `${duration(bin.from_seconds)} – ${duration(bin.to_seconds)}`;

/** Who took how long. */
export function behindBin(bin: Schemas["Bin"], place: number): Behind {
  return { title: `Took ${binName(bin)}`, point: { bin: place } };
}

const TREND_OUTCOMES = { converted: "Went all the way", entered: "Began", dropped: "Began and did not get there" } as const;

/** Who began in a bucket, and how it went on; `first` at the beginning. */
export function behindEntries(trend: Schemas["FunnelTrend"], place: number, first: keyof typeof TREND_OUTCOMES): Behind[] {
  const bucket = trend.buckets[place] ?? "";
  const when = bucketName(new Date(bucket), trend.interval, trend.timezone);
  const others = (Object.keys(TREND_OUTCOMES) as (keyof typeof TREND_OUTCOMES)[]).filter((outcome) => outcome !== first);
  return [first, ...others].map((outcome) => ({ title: `${TREND_OUTCOMES[outcome]}, ${when}`, point: { bucket, outcome } }));
}
