import type { Schemas } from "~/api/client";
import { readCommon, readOneOf, readStep, readWhole, type Common, type Search, type Step } from "~/features/insights/document";
import { describeFilters, describeRange, describeStep, type Word } from "~/features/insights/words";

export const PERIODS = ["hour", "day", "week", "month"] as const;
export type Period = (typeof PERIODS)[number];

export interface RetentionState extends Common {
  start?: Step;
  return?: Step;
  period?: Period;
  periods?: number;
  mode?: "first_time";
  cumulative?: true;
}

export const USUAL_PERIODS = 8;

export function readRetention(search: Search): RetentionState {
  const start = readStep(search.start);
  const back = readStep(search.return);
  const period = readOneOf(search.period, PERIODS);
  const periods = readWhole(search.periods, 1, 100);
  return {
    ...readCommon(search),
    ...(start === undefined ? {} : { start }),
    ...(back === undefined ? {} : { return: back }),
    ...(period === undefined ? {} : { period }),
    ...(periods === undefined ? {} : { periods }),
    ...(search.mode === "first_time" ? { mode: "first_time" as const } : {}),
    ...(search.cumulative === true ? { cumulative: true as const } : {}),
  };
}

/** How far back one has to look so that the first cohort has all its periods. */
export function usualStart(period: Period): string {
  return { hour: "-24h", day: "-14d", week: "-8w", month: "-8m" }[period];
}

/** Starting is returning until somebody says otherwise; null while nothing is chosen. */
export function retentionQuery(state: RetentionState): Schemas["RetentionQuery"] | null {
  const { start, return: back, ...rest } = state;
  if (start === undefined) return null;
  const period = state.period ?? "day";
  return {
    ...rest,
    start: matching(start),
    return: matching(back ?? start),
    period,
    periods: state.periods ?? USUAL_PERIODS,
    date_from: state.date_from ?? usualStart(period),
  };
}

function matching({ event, filters }: Step): Schemas["Matching"] {
  return { event: event ?? null, ...(filters === undefined ? {} : { filters }) };
}

export function describeRetention(state: RetentionState): Word[] {
  if (state.start === undefined) return [{ text: "Choose an event to see how many people come back to it." }];
  const period = state.period ?? "day";
  return [
    { text: state.mode === "first_time" ? "People who did " : "People who did " },
    ...describeStep(state.start),
    ...(state.mode === "first_time" ? [{ text: " for the first time" }] : []),
    { text: " in a " },
    { text: period, strong: true },
    { text: " of " },
    ...describeRange({ ...state, date_from: state.date_from ?? usualStart(period) }),
    { text: ", and how many of them did " },
    ...describeStep(state.return ?? state.start),
    ...describeFilters(state.filters),
    { text: state.cumulative ? ` in one of the ${period}s after or later.` : ` in each of the ${period}s after.` },
  ];
}
