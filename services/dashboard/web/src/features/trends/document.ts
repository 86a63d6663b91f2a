import {
  INTERVALS,
  isEarlier,
  readBreakdown,
  readCommon,
  readList,
  readOneOf,
  readSeries,
  readText,
  usualInterval,
  type Breakdown,
  type Common,
  type Interval,
  type Search,
  type Series,
} from "~/features/insights/document";
import { isComplete } from "~/features/trends/edit";
import { describeBreakdown, describeFilters, describeRange, describeSeries, earlierPhrase, INTERVAL_LABELS, type Word } from "~/features/insights/words";
import type { Schemas } from "~/api/client";

export const CHARTS = ["line", "area", "bar", "number", "table"] as const;
export type ChartKind = (typeof CHARTS)[number];

/** The address of a trend: its query document, but for the project, and how it is drawn. */
export interface TrendsState extends Common {
  series?: Series[];
  breakdown?: Breakdown;
  interval?: Interval;
  formula?: string;
  /** `previous_period`, or how much earlier: `-4w`. */
  compare?: string;
  cumulative?: true;
  chart?: ChartKind;
}

export function readTrends(search: Search): TrendsState {
  const series = readList(search.series, readSeries).slice(0, 26);
  const breakdown = readBreakdown(search.breakdown);
  const interval = readOneOf(search.interval, INTERVALS);
  const formula = readText(search.formula);
  const compare = search.compare === "previous_period" || isEarlier(search.compare) ? search.compare : undefined;
  const chart = readOneOf(search.chart, CHARTS);
  return {
    ...readCommon(search),
    ...(series.length > 0 ? { series } : {}),
    ...(breakdown === undefined ? {} : { breakdown }),
    ...(interval === undefined ? {} : { interval }),
    ...(formula === undefined ? {} : { formula }),
    ...(compare === undefined ? {} : { compare }),
    ...(search.cumulative === true ? { cumulative: true } : {}),
    ...(chart === undefined ? {} : { chart }),
  };
}

/** The document as it is asked and saved; null while nothing has been chosen. */
export function trendsQuery(state: TrendsState): Schemas["TrendsQuery"] | null {
  const { chart: _, series, ...rest } = state;
  if (series === undefined || !isComplete(series)) return null;
  return { ...rest, series, interval: state.interval ?? usualInterval(state), date_from: state.date_from ?? "-7d" };
}

/** Whether somebody is behind the numbers: what a formula computes is nobody's. */
export function countsPeople({ formula }: { formula?: unknown }): boolean {
  return formula == null;
}

export function describeTrends(state: TrendsState): Word[] {
  const series = state.series ?? [];
  if (series.length === 0) return [{ text: "Choose an event to see how often it happens." }];
  const what: Word[] = state.formula
    ? [{ text: state.formula, strong: true }, { text: ", where " }, ...joinSeries(series, true)]
    : joinSeries(series, false);
  const interval = state.interval ?? usualInterval(state);
  const each = state.chart === "number" ? ", " : `, each ${INTERVAL_LABELS[interval].toLowerCase()} of `;
  return [
    ...what,
    ...describeFilters(state.filters),
    ...describeBreakdown(state.breakdown),
    { text: each },
    ...describeRange(state),
    ...(state.cumulative ? [{ text: ", added up" }] : []),
    ...(state.compare ? [{ text: `, beside ${earlierPhrase(state.compare)}` }] : []),
    { text: "." },
  ];
}

function joinSeries(series: readonly Series[], named: boolean): Word[] {
  return series.flatMap((each, index) => {
    const words = describeSeries(each);
    const first = words[0];
    const lower = first && (index > 0 || named) ? [{ ...first, text: first.text.replace(/^./, (letter) => letter.toLowerCase()) }, ...words.slice(1)] : words;
    const glue = index === 0 ? "" : index === series.length - 1 ? " and " : ", ";
    return [{ text: `${glue}${named ? `${letterOf(index)} is ` : ""}` }, ...lower];
  });
}

export function letterOf(index: number): string {
  return String.fromCharCode(65 + index);
}
