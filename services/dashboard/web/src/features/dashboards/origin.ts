/** Where somebody who asks a question came from: the one part of an insight's address that is not the question. */
import { readDashboardSearch, type DashboardSearch } from "~/features/dashboards/search";
import { isRecord, type Search } from "~/features/insights/document";

/** The dashboard that somebody came from and how it was seen; with the widget, if it was to look at one or to change it. */
export interface OriginSearch {
  dashboard?: number;
  seen?: DashboardSearch;
  widget?: number;
}

export function originOf(dashboard: number, seen: DashboardSearch, widget?: number): OriginSearch {
  return { dashboard, ...(Object.keys(seen).length > 0 ? { seen } : {}), ...(widget === undefined ? {} : { widget }) };
}

function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

/** Reads an insight's address: its question with `read`, and its origin. */
export function withOrigin<State extends object>(read: (search: Search) => State) {
  return (search: Search): State & OriginSearch => {
    const { dashboard, seen, widget } = search;
    const origin = isId(dashboard) ? originOf(dashboard, isRecord(seen) ? readDashboardSearch(seen) : {}, isId(widget) ? widget : undefined) : {};
    return { ...read(search), ...origin };
  };
}

/** An address as the question that is asked, and its origin. */
export function split<State extends OriginSearch>({ dashboard, seen = {}, widget, ...state }: State): [Omit<State, keyof OriginSearch>, OriginSearch] {
  return [state, dashboard === undefined ? {} : originOf(dashboard, seen, widget)];
}
