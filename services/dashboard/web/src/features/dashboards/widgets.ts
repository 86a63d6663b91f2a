/** What a widget asks, and how it is drawn. */
import type { Widget } from "~/features/dashboards/api";
import { readOneOf, type Range, type Search } from "~/features/insights/document";
import { CHARTS, readTrends, type ChartKind } from "~/features/trends/document";

/** What the API takes where a document says nothing, and a builder would have begun with something else. */
const USUAL_OF_API = { date_from: "-7d", interval: "day", event: null, start: { event: null }, return: { event: null }, max_links: 50 };

/** A widget's document with what it leaves to the API filled in: a builder, asked for the rest, would choose by its own lights. */
export function spelledOut(query: Search): Search {
  return { ...USUAL_OF_API, ...Object.fromEntries(Object.entries(query).filter(([, value]) => value !== null)) };
}

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
