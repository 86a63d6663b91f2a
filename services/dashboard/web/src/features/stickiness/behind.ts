import type { Schemas } from "~/api/client";
import type { Behind } from "~/features/people/behind";
import { counted } from "~/format/numbers";

/** Who was active in so many intervals, or in at least so many. */
export function behindBar(answer: Schemas["StickinessAnswer"], series: Pick<Schemas["StickinessCounts"], "index" | "name">, place: number): Behind {
  const intervals = answer.intervals[place] ?? 0;
  return { title: `${series.name}, ${counted(intervals, answer.interval)}`, point: { index: series.index, intervals } };
}
