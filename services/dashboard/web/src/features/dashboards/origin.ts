/** Where somebody who asks a question came from: the one part of an insight's address that is not the question. */
import type { Search } from "~/features/insights/document";

/** The dashboard that somebody came from; with the widget, if it was to look at one or to change it. */
export interface OriginIds {
  dashboard?: number;
  widget?: number;
}

function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

/** Reads an insight's address: its question with `read`, and its origin. */
export function withOrigin<State extends object>(read: (search: Search) => State) {
  return (search: Search): State & OriginIds => {
    const { dashboard, widget } = search;
    return { ...read(search), ...(isId(dashboard) ? { dashboard, ...(isId(widget) ? { widget } : {}) } : {}) };
  };
}

/** An address as the question that is asked, and its origin. */
export function split<State extends OriginIds>({ dashboard, widget, ...state }: State): [Omit<State, keyof OriginIds>, OriginIds] {
  return [state, { ...(dashboard === undefined ? {} : { dashboard }), ...(widget === undefined ? {} : { widget }) }];
}
