/** Who is behind a point of a chart: people with an event in its bucket. Which ones, as `/api/persons` is asked. */
import type { FilterNode, Named } from "~/features/insights/document";
import { OTHER } from "~/format/colours";

export interface Behind {
  /** Which point of which series. */
  title: string;
  /** What the list says exactly, where it is not what the point counts. */
  note?: string;
  event: string | null;
  filters: readonly FilterNode[];
  date_from: string;
  date_to?: string;
}

/** A time as the API reads it: the bucket's start, or the last millisecond before the next one's. */
export function bucketRange(buckets: readonly string[], index: number, last: string | null | undefined): { date_from: string; date_to?: string } {
  const from = buckets[index] ?? "";
  const next = buckets[index + 1];
  const to = next === undefined ? last : new Date(Date.parse(next) - 1).toISOString();
  return { date_from: from, ...(to == null ? {} : { date_to: to }) };
}

/** The filters that leave only what one value of a breakdown counts; `shown` are the values with a line of their own. */
export function valueFilters({ property, scope }: Named, value: string | null, shown: readonly (string | null)[]): FilterNode[] {
  const of = scope === "person" ? { property, scope } : { property };
  if (value === null) return [{ any: [{ ...of, operator: "is_not_set" }, { ...of, operator: "exact", value: "" }] }];
  if (value !== OTHER) return [{ ...of, operator: "exact", value: [value] }];
  const others = shown.filter((each) => each !== null && each !== OTHER) as string[];
  return [{ ...of, operator: "is_set" }, { ...of, operator: "is_not", value: ["", ...others] }];
}
