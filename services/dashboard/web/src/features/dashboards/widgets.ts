/** What a widget asks, and how it is drawn. */
import type { Widget } from "~/features/dashboards/api";
import { readOneOf, type Range, type Search } from "~/features/insights/document";
import { CHARTS, readTrends, type ChartKind } from "~/features/trends/document";

/** The document that a widget is asked with a range over all of them, as the API makes it when it runs a dashboard. */
export function askedOver(query: Search, { date_from, date_to }: Range): Search {
  if (date_from === undefined && date_to === undefined) return query;
  const { date_to: _, ...rest } = query;
  return { ...rest, ...(date_from === undefined ? {} : { date_from }), ...(date_to === undefined ? {} : { date_to }) };
}

/** How a trend is drawn; null for other kinds, which are drawn in one way. */
export function chartOf({ kind, visualization, query }: Pick<Widget, "kind" | "visualization" | "query">): ChartKind | null {
  if (kind !== "trends") return null;
  return readOneOf(visualization, CHARTS) ?? readTrends(query).chart ?? "line";
}
