import type { Range, Search } from "~/features/insights/document";

/** The document that a widget is asked with a range over all of them, as the API makes it when it runs a dashboard. */
export function askedOver(query: Search, { date_from, date_to }: Range): Search {
  if (date_from === undefined && date_to === undefined) return query;
  const { date_to: _, ...rest } = query;
  return { ...rest, ...(date_from === undefined ? {} : { date_from }), ...(date_to === undefined ? {} : { date_to }) };
}
