import { readRange, type Range, type Search } from "~/features/insights/document";

/** A range over all widgets, and how many seconds pass between two questions. */
export interface DashboardSearch extends Range {
  every?: number;
}

export function readDashboardSearch(search: Search): DashboardSearch {
  const every = typeof search.every === "number" && [60, 300, 900].includes(search.every) ? { every: search.every } : {};
  return { ...readRange(search), ...every };
}
