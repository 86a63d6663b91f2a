/** Where a question is saved, or will be: the one part of an insight's address that is not the question. */
import type { Search } from "~/features/insights/document";

/** The dashboard that somebody came from; with the widget, if it was to look at one or to change it. */
export interface Saved {
  dashboard?: number;
  widget?: number;
}

function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

/** Reads an insight's address: its question with `read`, and where it is saved. */
export function withSaved<State extends object>(read: (search: Search) => State) {
  return (search: Search): State & Saved => {
    const { dashboard, widget } = search;
    return { ...read(search), ...(isId(dashboard) ? { dashboard, ...(isId(widget) ? { widget } : {}) } : {}) };
  };
}

/** An address as the question that is asked, and where it is saved. */
export function split<State extends Saved>({ dashboard, widget, ...state }: State): [Omit<State, keyof Saved>, Saved] {
  return [state, { ...(dashboard === undefined ? {} : { dashboard }), ...(widget === undefined ? {} : { widget }) }];
}
