/** Query documents in words. */
import type { Common, Filter, FilterNode, Interval, Maths, Named, Operator, Range, Series, Step } from "~/features/insights/document";
import { counted } from "~/format/numbers";
import { capitalised } from "~/format/text";

/** A piece of a sentence; `strong` is what somebody chose. */
export interface Word {
  text: string;
  strong?: boolean;
}

export const MATH_LABELS: Record<Maths, string> = {
  total: "Total count",
  unique_users: "Unique people",
  unique_sessions: "Unique sessions",
  first_time_users: "People, first time ever",
  weekly_active_users: "Weekly active people",
  monthly_active_users: "Monthly active people",
  sum: "Sum of",
  avg: "Average of",
  min: "Minimum of",
  max: "Maximum of",
  median: "Median of",
  p75: "75th percentile of",
  p90: "90th percentile of",
  p95: "95th percentile of",
  p99: "99th percentile of",
};

export const OPERATOR_LABELS: Record<Operator, string> = {
  exact: "is",
  is_not: "is not",
  icontains: "contains",
  not_icontains: "does not contain",
  regex: "matches",
  not_regex: "does not match",
  gt: "greater than",
  gte: "at least",
  lt: "less than",
  lte: "at most",
  between: "between",
  not_between: "not between",
  is_set: "is set",
  is_not_set: "is not set",
  is_date_exact: "is on",
  is_date_before: "is before",
  is_date_after: "is after",
};

export const INTERVAL_LABELS: Record<Interval, string> = { minute: "Minute", hour: "Hour", day: "Day", week: "Week", month: "Month" };

export interface Preset {
  label: string;
  /** Within a sentence: “each day of …”. */
  phrase: string;
  range: Required<Pick<Range, "date_from">> & Range;
}

export const PRESETS: readonly Preset[] = [
  { label: "Today", phrase: "today", range: { date_from: "dStart" } },
  { label: "Yesterday", phrase: "yesterday", range: { date_from: "-1dStart", date_to: "-1dEnd" } },
  { label: "Last 24 hours", phrase: "the last 24 hours", range: { date_from: "-24h" } },
  { label: "Last 7 days", phrase: "the last 7 days", range: { date_from: "-7d" } },
  { label: "Last 14 days", phrase: "the last 14 days", range: { date_from: "-14d" } },
  { label: "Last 30 days", phrase: "the last 30 days", range: { date_from: "-30d" } },
  { label: "Last 90 days", phrase: "the last 90 days", range: { date_from: "-90d" } },
  { label: "Last 12 months", phrase: "the last 12 months", range: { date_from: "-12m" } },
  { label: "This month", phrase: "this month", range: { date_from: "mStart" } },
  { label: "Last month", phrase: "last month", range: { date_from: "-1mStart", date_to: "-1mEnd" } },
  { label: "This year", phrase: "this year", range: { date_from: "yStart" } },
  { label: "All time", phrase: "all time", range: { date_from: "all" } },
];

const UNITS: Record<string, string> = { M: "minute", h: "hour", d: "day", w: "week", m: "month", q: "quarter", y: "year" };

function countedUnits(count: string, unit: string): string {
  return counted(Number(count), UNITS[unit] ?? "");
}

export function findPreset(range: Range): Preset | undefined {
  return PRESETS.find(({ range: known }) => known.date_from === (range.date_from ?? "-7d") && known.date_to === range.date_to);
}

/** A range as a heading: “Last 7 days”, “1 Nov – 12 Nov 2026”. */
export function rangeLabel(range: Range, locale?: string): string {
  const phrase = rangePhrase(range, locale);
  return capitalised(phrase.replace(/^the /, ""));
}

export function rangePhrase(range: Range, locale?: string): string {
  const preset = findPreset(range);
  if (preset !== undefined) return preset.phrase;
  const from = range.date_from ?? "-7d";
  const relative = /^-(\d+)([hdwmqyM])$/.exec(from);
  if (relative !== null && range.date_to === undefined) return `the last ${countedUnits(relative[1] ?? "", relative[2] ?? "")}`;
  return range.date_to === undefined ? `since ${dateWord(from, locale)}` : `${dateWord(from, locale)} – ${dateWord(range.date_to, locale)}`;
}

/** The range of a question, and whose days they are if not the project's. */
export function describeRange(question: Common): Word[] {
  const { timezone } = question;
  return [{ text: rangePhrase(question), strong: true }, ...(timezone === undefined ? [] : [{ text: ` in ${timezone.replaceAll("_", " ")}` }])];
}

/** What a range is compared with, in a legend: “period before”, “4 weeks before”. */
export function earlierLabel(compare: string): string {
  return earlierPhrase(compare).replace(/^(the|a) /, "");
}

export function earlierPhrase(compare: string): string {
  if (compare === "previous_period") return "the period before";
  if (compare === "-1y") return "a year before";
  return `${countedUnits(compare.slice(1, -1), compare.slice(-1))} before`;
}

function dateWord(text: string, locale?: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return text;
  const moment = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(moment.getTime())
    ? text
    : new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(moment);
}

export function eventLabel(event: string | null | undefined): string {
  return event ?? "any event";
}

export function propertyLabel({ property, scope }: Named): string {
  return scope === "person" ? `person’s ${property}` : property;
}

export function filterLabel(node: FilterNode): string {
  if ("any" in node) return node.any.map(filterLabel).join(" or ");
  if ("all" in node) return node.all.map(filterLabel).join(" and ");
  const words = OPERATOR_LABELS[node.operator ?? "exact"];
  const value = valueLabel(node);
  return `${propertyLabel(node)} ${words}${value ? ` ${value}` : ""}`;
}

export function valueLabel(filter: Filter): string {
  const { value } = filter;
  if (value === undefined || value === null) return "";
  const all = Array.isArray(value) ? value.map(String) : [String(value)];
  if (filter.operator === "between" || filter.operator === "not_between") return all.join(" and ");
  return all.length > 3 ? `${all.slice(0, 2).join(", ")} or ${all.length - 2} others` : listWords(all, "or");
}

export function listWords(words: readonly string[], last: string): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1) ?? ""}`;
}

export function describeFilters(filters: readonly FilterNode[] | undefined): Word[] {
  return (filters ?? []).flatMap((filter, index) => [{ text: index === 0 ? " where " : " and " }, { text: filterLabel(filter), strong: true }]);
}

export function describeStep(step: Step): Word[] {
  return [{ text: eventLabel(step.event), strong: true }, ...describeFilters(step.filters)];
}

/** “Unique people who did *signup*”. */
export function describeSeries(series: Series): Word[] {
  const math = series.math ?? "total";
  const event: Word[] = describeStep(series);
  switch (math) {
    case "total":
      return [{ text: "How often " }, ...event, { text: " happened" }];
    case "unique_users":
      return [{ text: "Unique people who did " }, ...event];
    case "unique_sessions":
      return [{ text: "Unique sessions with " }, ...event];
    case "first_time_users":
      return [{ text: "People who did " }, ...event, { text: " for the first time" }];
    case "weekly_active_users":
      return [{ text: "People who did " }, ...event, { text: " in the 7 days before" }];
    case "monthly_active_users":
      return [{ text: "People who did " }, ...event, { text: " in the 30 days before" }];
    default:
      return [{ text: `${MATH_LABELS[math]} ` }, { text: series.math_property ?? "a property", strong: true }, { text: " of " }, ...event];
  }
}

export function describeBreakdown(breakdown: Named | undefined): Word[] {
  return breakdown === undefined ? [] : [{ text: ", by " }, { text: propertyLabel(breakdown), strong: true }];
}

export function sentence(words: readonly Word[]): string {
  return words.map((word) => word.text).join("");
}
