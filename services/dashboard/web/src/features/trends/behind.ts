import { shapeTrends, type TrendsAnswer } from "~/features/trends/shape";
import type { Behind } from "~/features/people/behind";
import { bucketName } from "~/format/times";

/** Who is behind each line in a bucket, or in all of them (null); that of the line `first` at the beginning. */
export function behindTrend(answer: TrendsAnswer, bucket: number | null, first: string | null): Behind[] {
  const lines = shapeTrends(answer);
  const lists = answer.series.flatMap(({ index, breakdown_value, compare }, at): { key: string; list: Behind }[] => {
    const shown = lines[at];
    const label = bucket === null ? null : (compare === null ? answer.buckets : answer.compare_buckets)?.[bucket];
    if (shown === undefined || label === undefined) return [];
    const when = label === null ? "whole range" : bucketName(new Date(label), answer.interval, answer.timezone);
    return [{ key: shown.key, list: { title: `${shown.label}, ${when}`, point: { index, bucket: label, breakdown_value, compare } } }];
  });
  const rank = ({ key }: { key: string }) => (key === first ? 0 : 1);
  return lists.sort((one, other) => rank(one) - rank(other)).map(({ list }) => list);
}
