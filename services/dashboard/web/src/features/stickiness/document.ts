import type { Schemas } from "~/api/client";
import { readCommon, readList, readOneOf, readStep, type Common, type Search, type Step } from "~/features/insights/document";
import { describeFilters, describeRange, describeStep, type Word } from "~/features/insights/words";

export const STICKY_INTERVALS = ["day", "week", "month"] as const;

export interface StickinessState extends Common {
  series?: Step[];
  interval?: (typeof STICKY_INTERVALS)[number];
  cumulative?: true;
}

export function readStickiness(search: Search): StickinessState {
  const series = readList(search.series, readStep).slice(0, 26);
  const interval = readOneOf(search.interval, STICKY_INTERVALS);
  return {
    ...readCommon(search),
    ...(series.length > 0 ? { series } : {}),
    ...(interval === undefined ? {} : { interval }),
    ...(search.cumulative === true ? { cumulative: true as const } : {}),
  };
}

export function stickinessQuery(state: StickinessState): Schemas["StickinessQuery"] | null {
  if (state.series === undefined) return null;
  return { ...state, series: state.series, interval: state.interval ?? "day", date_from: state.date_from ?? "-30d" };
}

export function describeStickiness(state: StickinessState): Word[] {
  const series = state.series ?? [];
  if (series.length === 0) return [{ text: "Choose an event to see on how many days people do it." }];
  const interval = state.interval ?? "day";
  return [
    { text: "On how many " },
    { text: `${interval}s`, strong: true },
    { text: " people did " },
    ...series.flatMap((step, index) => [...(index === 0 ? [] : [{ text: " or " }]), ...describeStep(step)]),
    ...describeFilters(state.filters),
    { text: " in " },
    ...describeRange({ ...state, date_from: state.date_from ?? "-30d" }),
    { text: state.cumulative ? ", that many or more." : "." },
  ];
}
