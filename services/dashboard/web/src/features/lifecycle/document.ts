import type { Schemas } from "~/api/client";
import type { ChartSeries } from "~/charts/series";
import {
  INTERVALS,
  readCommon,
  readOneOf,
  readText,
  usualInterval,
  type Common,
  type Interval,
  type Search,
} from "~/features/insights/document";
import { describeFilters, describeRange, eventLabel, INTERVAL_LABELS, type Word } from "~/features/insights/words";

export interface LifecycleState extends Common {
  event?: string | null;
  interval?: Interval;
}

export function readLifecycle(search: Search): LifecycleState {
  const event = search.event === null ? null : readText(search.event);
  const interval = readOneOf(search.interval, INTERVALS);
  return {
    ...readCommon(search),
    ...(event === undefined ? {} : { event }),
    ...(interval === undefined ? {} : { interval }),
  };
}

export function lifecycleQuery(state: LifecycleState): Schemas["LifecycleQuery"] | null {
  if (state.event === undefined) return null;
  return { ...state, event: state.event, interval: state.interval ?? usualInterval(withStart(state)), date_from: withStart(state).date_from };
}

export function withStart(state: LifecycleState): LifecycleState & { date_from: string } {
  return { ...state, date_from: state.date_from ?? "-30d" };
}

export function describeLifecycle(state: LifecycleState): Word[] {
  if (state.event === undefined) return [{ text: "Choose an event to see who is new, who stays, who comes back and who leaves." }];
  const interval = state.interval ?? usualInterval(withStart(state));
  return [
    { text: "New, returning, resurrecting and dormant people who did " },
    { text: eventLabel(state.event), strong: true },
    ...describeFilters(state.filters),
    { text: `, each ${INTERVAL_LABELS[interval].toLowerCase()} of ` },
    ...describeRange(withStart(state)),
    { text: "." },
  ];
}

/** What stands above the line, in the order of the stack, and what is below it. */
export const STATUSES = [
  { key: "returning", label: "Returning", colour: "var(--series-1)", means: "also active in the interval before" },
  { key: "new", label: "New", colour: "var(--series-5)", means: "active for the first time" },
  { key: "resurrecting", label: "Resurrecting", colour: "var(--series-6)", means: "back after a pause" },
  { key: "dormant", label: "Dormant", colour: "var(--series-3)", means: "no longer active" },
] as const;

export function shapeLifecycle(answer: Schemas["LifecycleAnswer"]): ChartSeries[] {
  return STATUSES.map(({ key, label, colour }) => ({ key, label, colour, data: answer[key] }));
}
