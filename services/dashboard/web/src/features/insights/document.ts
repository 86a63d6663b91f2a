/**
 * What the builders edit: query documents as the API takes them, read from an address that anybody may have typed.
 *
 * The readers keep what they understand and leave out the rest, so that an old or broken link still opens.
 */
import type { Schemas } from "~/api/client";

export type Filter = Schemas["Filter"];
export type FilterNode = Filter | Schemas["AnyOf"] | Schemas["AllOf"];
export type Operator = NonNullable<Filter["operator"]>;
export type Series = Schemas["Series"];
export type Maths = NonNullable<Series["math"]>;
export type Breakdown = Schemas["Breakdown"];
export type Interval = Schemas["TrendsAnswer"]["interval"];
export type Step = Schemas["Step"];

/** A property of events, or of the people who did them. */
export interface Named {
  property: string;
  scope?: "event" | "person";
}

export type Search = Record<string, unknown>;

export const INTERVALS: readonly Interval[] = ["minute", "hour", "day", "week", "month"];
export const MATHS: readonly Maths[] = [
  "total",
  "unique_users",
  "unique_sessions",
  "first_time_users",
  "weekly_active_users",
  "monthly_active_users",
  "sum",
  "avg",
  "min",
  "max",
  "median",
  "p75",
  "p90",
  "p95",
  "p99",
];
export const PROPERTY_MATHS: ReadonlySet<Maths> = new Set(["sum", "avg", "min", "max", "median", "p75", "p90", "p95", "p99"]);
export const OPERATORS: readonly Operator[] = [
  "exact",
  "is_not",
  "icontains",
  "not_icontains",
  "regex",
  "not_regex",
  "gt",
  "gte",
  "lt",
  "lte",
  "between",
  "not_between",
  "is_set",
  "is_not_set",
  "is_date_exact",
  "is_date_before",
  "is_date_after",
];
export const VALUELESS: ReadonlySet<Operator> = new Set(["is_set", "is_not_set"]);

const RELATIVE = /^(-\d{1,4}[hdwmqyM](Start|End)?|[hdwmqyM](Start|End)|all)$/;
const ABSOLUTE = /^\d{4}-\d{2}-\d{2}([T ][\d:.]+(Z|[+-]\d\d:?\d\d)?)?$/;

export function isDate(text: unknown): text is string {
  return typeof text === "string" && (RELATIVE.test(text) || ABSOLUTE.test(text));
}

/** How much earlier another range may be that one is compared with: `-4w`. */
export function isEarlier(text: unknown): text is string {
  return typeof text === "string" && /^-[1-9]\d{0,3}[hdwmqyM]$/.test(text);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function readOneOf<T extends string>(value: unknown, known: readonly T[]): T | undefined {
  return known.find((each) => each === value);
}

export function readText(value: unknown): string | undefined {
  return typeof value === "string" && value.length > 0 ? value : typeof value === "number" ? String(value) : undefined;
}

/** A whole number within its bounds. */
export function readWhole(value: unknown, least: number, most: number): number | undefined {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= least && number <= most ? number : undefined;
}

export function readList<T>(value: unknown, read: (each: unknown) => T | undefined): T[] {
  return Array.isArray(value) ? value.map(read).filter((each) => each !== undefined) : [];
}

export interface Range {
  date_from?: string;
  date_to?: string;
}

export function readRange(search: Search): Range {
  return {
    ...(isDate(search.date_from) ? { date_from: search.date_from } : {}),
    ...(isDate(search.date_to) && search.date_to !== "all" ? { date_to: search.date_to } : {}),
  };
}

export function readFilter(value: unknown): FilterNode | undefined {
  if (!isRecord(value)) return undefined;
  for (const group of ["any", "all"] as const) {
    if (Array.isArray(value[group])) {
      const inner = readList(value[group], readFilter);
      if (inner.length === 0) return undefined;
      return group === "any" ? { any: inner } : { all: inner };
    }
  }
  const property = readText(value.property);
  const operator = readOneOf(value.operator ?? "exact", OPERATORS);
  if (property === undefined || operator === undefined) return undefined;
  const filter: Filter = { property, operator, ...(value.scope === "person" ? { scope: "person" as const } : {}) };
  if (VALUELESS.has(operator)) return filter;
  const given = Array.isArray(value.value) ? value.value.filter(isScalar) : value.value;
  return Array.isArray(given) || isScalar(given) ? { ...filter, value: given } : undefined;
}

function isScalar(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

export function readFilters(search: Search): { filters?: FilterNode[] } {
  const filters = readList(search.filters, readFilter);
  return filters.length > 0 ? { filters } : {};
}

/** What every question says besides what it is about. */
export interface Common extends Range {
  filters?: FilterNode[];
  /** Another than the project's. */
  timezone?: string;
}

export function readCommon(search: Search): Common {
  const timezone = readText(search.timezone);
  return { ...readRange(search), ...readFilters(search), ...(timezone === undefined ? {} : { timezone }) };
}

/** An event and its filters; without a name, or null: any event. */
export function readStep(value: unknown): Step | undefined {
  if (!isRecord(value)) return undefined;
  const event = value.event == null ? null : readText(value.event);
  if (event === undefined) return undefined;
  const name = readText(value.name);
  return { event, ...readFilters(value), ...(name === undefined ? {} : { name }) };
}

export function readSeries(value: unknown): Series | undefined {
  const step = readStep(value);
  if (step === undefined || !isRecord(value)) return undefined;
  const math = readOneOf(value.math, MATHS);
  const property = readText(value.math_property);
  if (math === undefined || math === "total") return step;
  // Without a property it is a question that is being written: it is kept, and asked once it is whole.
  if (PROPERTY_MATHS.has(math)) return { ...step, math, ...(property === undefined ? {} : { math_property: property }) };
  return { ...step, math };
}

export function readBreakdown(value: unknown): Breakdown | undefined {
  if (!isRecord(value)) return undefined;
  const property = readText(value.property);
  if (property === undefined) return undefined;
  const limit = readWhole(value.limit, 1, 1000);
  return { property, ...(value.scope === "person" ? { scope: "person" as const } : {}), ...(limit === undefined ? {} : { limit }) };
}

/** The interval that fits a range, until somebody chooses one. */
export function usualInterval(range: Range): Interval {
  const from = range.date_from ?? "-7d";
  const found = /^-(\d+)([hdwmqyM])/.exec(from);
  const days: Record<string, number> = { M: 1 / 1440, h: 1 / 24, d: 1, w: 7, m: 30, q: 91, y: 365 };
  if (found !== null) {
    const length = Number(found[1]) * (days[found[2] ?? "d"] ?? 1);
    return length <= 0.09 ? "minute" : length <= 2 && !from.startsWith("-1d") ? "hour" : length <= 2 ? "hour" : length <= 92 ? "day" : length <= 400 ? "week" : "month";
  }
  if (from === "dStart") return "hour";
  if (from === "all" || from.startsWith("y")) return from === "all" ? "month" : "week";
  if (ABSOLUTE.test(from)) {
    const to = range.date_to !== undefined && ABSOLUTE.test(range.date_to) ? Date.parse(range.date_to) : Date.now();
    const length = (to - Date.parse(from)) / 86_400_000;
    return length < 2 ? "hour" : length <= 92 ? "day" : length <= 400 ? "week" : "month";
  }
  return "day";
}
