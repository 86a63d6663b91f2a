/** Who is behind the points of a trend. */
import type { Schemas } from "~/api/client";
import type { Series } from "~/features/insights/document";
import { shapeTrends, type TrendsAnswer } from "~/features/trends/shape";
import { bucketRange, valueFilters, type Behind } from "~/features/people/behind";
import { bucketName } from "~/format/times";

/**
 * A list for each line in one bucket, that of the line `first` at the beginning. None for a formula: what it computes
 * is nobody's.
 */
export function peopleBehindTrend(query: Schemas["TrendsQuery"], answer: TrendsAnswer, index: number, first: string | null): Behind[] {
  if (query.formula != null) return [];
  const lines = shapeTrends(answer);
  const lists = answer.series.flatMap((line, at): { key: string; list: Behind }[] => {
    const series = query.series[line.index];
    const shown = lines[at];
    if (series === undefined || shown === undefined) return [];
    const buckets = line.compare === null ? answer.buckets : (answer.compare_buckets ?? []);
    const range = bucketRange(buckets, index, line.compare === null ? query.date_to : nextOf(buckets, index));
    const rest = answer.series.filter((each) => each.index === line.index).map((each) => each.breakdown_value);
    const list: Behind = {
      title: `${shown.label}, ${bucketName(new Date(buckets[index] ?? 0), answer.interval, answer.timezone)}`,
      ...noteOf(series, query.cumulative === true),
      event: series.event ?? null,
      filters: [
        ...(query.filters ?? []),
        ...(series.filters ?? []),
        ...(query.breakdown == null ? [] : valueFilters(query.breakdown, line.breakdown_value, rest)),
      ],
      ...range,
      date_from: startOf(query, answer, index, line.compare !== null) ?? range.date_from,
    };
    return [{ key: shown.key, list }];
  });
  const rank = ({ key }: { key: string }) => (key === first ? 0 : 1);
  return lists.sort((one, other) => rank(one) - rank(other)).map(({ list }) => list);
}

/** The range may begin within the first bucket, which then counts only what lies in the range; months are whole. */
function startOf(query: Schemas["TrendsQuery"], answer: TrendsAnswer, index: number, isCompared: boolean): string | undefined {
  if (isCompared || (index > 0 && query.cumulative !== true) || answer.interval === "month") return undefined;
  return query.date_from;
}

/** Where the last bucket of an earlier range ends: it is as long as the one before it. */
function nextOf(buckets: readonly string[], index: number): string | undefined {
  const [before, last] = [buckets[index - 1], buckets[index]];
  return before === undefined || last === undefined ? undefined : new Date(2 * Date.parse(last) - Date.parse(before) - 1).toISOString();
}

function noteOf(series: Series, isCumulative: boolean): { note?: string } {
  switch (series.math) {
    case "first_time_users":
      return { note: "Everybody with a profile who did this then, also those for whom it was not the first time." };
    case "weekly_active_users":
    case "monthly_active_users":
      return { note: "Everybody with a profile who did this in the bucket itself, without the days before that the point counts too." };
    default:
      return isCumulative ? { note: "Everybody with a profile who did this from the start of the range on." } : {};
  }
}
