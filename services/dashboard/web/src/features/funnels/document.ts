import type { Schemas } from "~/api/client";
import {
  INTERVALS,
  isRecord,
  readBreakdown,
  readCommon,
  readList,
  readOneOf,
  readStep,
  readWhole,
  usualInterval,
  type Breakdown,
  type Common,
  type Interval,
  type Search,
  type Step,
} from "~/features/insights/document";
import { describeBreakdown, describeFilters, describeRange, describeStep, INTERVAL_LABELS, type Word } from "~/features/insights/words";

export const ORDERS = ["ordered", "strict", "unordered"] as const;
export const WINDOW_UNITS = ["second", "minute", "hour", "day", "week", "month"] as const;
export const USUAL_WINDOW = { value: 14, unit: "day" } as const;
export const VIEWS = ["steps", "time_to_convert", "trend"] as const;
export const ATTRIBUTIONS = ["first_touch", "last_touch", "all_events", "step"] as const;
const MOST_STEPS = 20;
export const MOST_EXCLUSIONS = 10;

type WindowUnit = (typeof WINDOW_UNITS)[number];
export type Order = (typeof ORDERS)[number];
export type View = (typeof VIEWS)[number];
export type Attribution = (typeof ATTRIBUTIONS)[number];
export interface Window {
  value: number;
  unit: WindowUnit;
}

/** Events that must not come between two steps, which are numbered from 0 on. */
export interface Exclusion extends Omit<Step, "name"> {
  from_step: number;
  to_step: number;
}

export interface FunnelBreakdown extends Breakdown {
  attribution?: Attribution;
  /** For the attribution `step`. */
  step?: number;
}

export interface FunnelsState extends Common {
  steps?: Step[];
  breakdown?: FunnelBreakdown;
  window?: Window;
  order?: Order;
  exclusions?: Exclusion[];
  view?: View;
  /** For the view `time_to_convert`. */
  bins?: number;
  /** For the view `trend`. */
  interval?: Interval;
}

export function readFunnels(search: Search): FunnelsState {
  const steps = readList(search.steps, readStep).slice(0, MOST_STEPS);
  const order = readOneOf(search.order, ORDERS);
  const window = readWindow(search.window);
  const breakdown = readFunnelBreakdown(search.breakdown);
  const exclusions = readList(search.exclusions, readExclusion).slice(0, MOST_EXCLUSIONS);
  const view = readOneOf(search.view, VIEWS);
  const bins = readWhole(search.bins, 1, 60);
  const interval = readOneOf(search.interval, INTERVALS);
  return {
    ...readCommon(search),
    ...(steps.length > 0 ? { steps } : {}),
    ...(breakdown === undefined ? {} : { breakdown }),
    ...(window === undefined ? {} : { window }),
    ...(order === undefined || order === "ordered" ? {} : { order }),
    ...(exclusions.length > 0 ? { exclusions } : {}),
    ...(view === undefined || view === "steps" ? {} : { view }),
    ...(bins === undefined ? {} : { bins }),
    ...(interval === undefined ? {} : { interval }),
  };
}

function readWindow(value: unknown): Window | undefined {
  if (!isRecord(value)) return undefined;
  const unit = readOneOf(value.unit, WINDOW_UNITS);
  const count = readWhole(value.value, 1, 10_000);
  return unit === undefined || count === undefined ? undefined : { value: count, unit };
}

function readPlace(value: unknown): number | undefined {
  return readWhole(value, 0, MOST_STEPS - 1);
}

function readExclusion(value: unknown): Exclusion | undefined {
  const step = readStep(value);
  if (step === undefined || !isRecord(value)) return undefined;
  const from = readPlace(value.from_step);
  const to = readPlace(value.to_step);
  if (from === undefined || to === undefined || from >= to) return undefined;
  const { name: _, ...matching } = step;
  return { ...matching, from_step: from, to_step: to };
}

function readFunnelBreakdown(value: unknown): FunnelBreakdown | undefined {
  const named = readBreakdown(value);
  if (named === undefined || !isRecord(value)) return undefined;
  const attribution = readOneOf(value.attribution, ATTRIBUTIONS);
  if (attribution === undefined || attribution === "first_touch") return named;
  return attribution === "step" ? { ...named, attribution, step: readPlace(value.step) ?? 0 } : { ...named, attribution };
}

/** Exclusions of so many steps: those that named a step which is gone end at the last one. Without an order, they go from end to end. */
export function fitExclusions(exclusions: readonly Exclusion[], steps: number, order: Order): Exclusion[] {
  const last = Math.max(1, steps - 1);
  return exclusions.map((each) => {
    const to = order === "unordered" ? last : Math.min(each.to_step, last);
    return { ...each, from_step: order === "unordered" ? 0 : Math.min(each.from_step, to - 1), to_step: to };
  });
}

/** The breakdown as it can be asked: steps without an order have no number. */
export function fitBreakdown(breakdown: FunnelBreakdown, steps: number, order: Order): FunnelBreakdown {
  const { attribution, step, ...named } = breakdown;
  if (attribution === undefined || (attribution === "step" && order === "unordered")) return named;
  return attribution === "step" ? { ...named, attribution, step: Math.min(step ?? 0, steps - 1) } : { ...named, attribution };
}

/** The document as it is asked and saved; null until there are two steps. */
export function funnelQuery(state: FunnelsState): Schemas["FunnelQuery"] | null {
  const { steps, breakdown, exclusions, bins, interval, ...rest } = state;
  if (steps === undefined || steps.length < 2) return null;
  const order = state.order ?? "ordered";
  const view = state.view ?? "steps";
  return {
    ...rest,
    steps,
    window: state.window ?? USUAL_WINDOW,
    date_from: state.date_from ?? "-7d",
    ...(exclusions === undefined ? {} : { exclusions: fitExclusions(exclusions, steps.length, order) }),
    // The other views have no values to break down by.
    ...(breakdown === undefined || view !== "steps" ? {} : { breakdown: fitBreakdown(breakdown, steps.length, order) }),
    ...(view === "time_to_convert" && bins !== undefined ? { bins } : {}),
    ...(view === "trend" ? { interval: interval ?? usualInterval(state) } : {}),
  };
}

export function describeFunnel(state: FunnelsState): Word[] {
  const steps = state.steps ?? [];
  if (steps.length < 2) return [{ text: "Choose two steps or more to see how many people get from the first to the last." }];
  const window = state.window ?? USUAL_WINDOW;
  const view = state.view ?? "steps";
  const then = state.order === "strict" ? ", directly followed by " : state.order === "unordered" ? " and " : ", then ";
  const beginning = { steps: "People who did ", time_to_convert: "How long it took people who did ", trend: "The share of people who went all the way: " }[view];
  const interval = INTERVAL_LABELS[state.interval ?? usualInterval(state)].toLowerCase();
  return [
    { text: beginning },
    ...steps.flatMap((step, index) => [...(index === 0 ? [] : [{ text: then }]), ...describeStep(step)]),
    ...(state.order === "unordered" ? [{ text: " in any order" }] : []),
    ...describeFilters(state.filters),
    ...(view === "steps" ? describeBreakdown(state.breakdown) : []),
    { text: " within " },
    { text: `${window.value} ${window.unit}${window.value === 1 ? "" : "s"}`, strong: true },
    ...describeExclusions(state),
    { text: view === "trend" ? `, each ${interval} of ` : ", having begun in " },
    ...describeRange(state),
    { text: "." },
  ];
}

function describeExclusions({ exclusions = [], order, steps = [] }: FunnelsState): Word[] {
  return fitExclusions(exclusions, steps.length, order ?? "ordered").flatMap((each, index) => [
    { text: index === 0 ? ", without " : " or " },
    ...describeStep(each),
    ...(steps.length > 2 && order !== "unordered" ? [{ text: ` between steps ${each.from_step + 1} and ${each.to_step + 1}` }] : [{ text: " in between" }]),
  ]);
}
