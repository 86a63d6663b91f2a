/** The values of a filter while it is edited. */
import { isDate, VALUELESS, type Filter, type Operator } from "~/features/insights/document";

export function isChoice(operator: Operator): boolean {
  return operator === "exact" || operator === "is_not";
}

export function isRange(operator: Operator): boolean {
  return operator === "between" || operator === "not_between";
}

function isNumeric(operator: Operator): boolean {
  return isRange(operator) || ["gt", "gte", "lt", "lte"].includes(operator);
}

export function valuesOf(filter: Filter): string[] {
  const { value } = filter;
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

/** What the fields say as the API takes it; undefined while that is nothing. */
export function readValue(operator: Operator, texts: readonly string[]): Filter["value"] | undefined {
  const trimmed = texts.map((text) => text.trim());
  if (trimmed.includes("")) return undefined;
  if (isNumeric(operator)) {
    const numbers = trimmed.map(Number);
    if (numbers.some((number) => !Number.isFinite(number))) return undefined;
    return isRange(operator) ? numbers : numbers[0];
  }
  if (operator.startsWith("is_date") && !trimmed.every(isDate)) return undefined;
  return trimmed.length === 1 ? trimmed[0] : trimmed;
}

/** With another operator a value stays where it makes sense, and takes a harmless one where there must be one. */
export function changeOperator(filter: Filter, operator: Operator): Filter {
  const { value: _, ...rest } = filter;
  if (VALUELESS.has(operator)) return { ...rest, operator };
  const given = valuesOf(filter);
  if (isChoice(operator)) return given.length > 0 ? { ...rest, operator, value: given } : { ...rest, operator: operator === "exact" ? "is_set" : "is_not_set" };
  const kept = readValue(operator, isRange(operator) ? given.slice(0, 2) : given.slice(0, 1));
  if (kept !== undefined && (!isRange(operator) || given.length >= 2)) return { ...rest, operator, value: kept };
  if (isRange(operator)) return { ...rest, operator, value: [0, 100] };
  if (isNumeric(operator)) return { ...rest, operator, value: 0 };
  return { ...rest, operator, value: operator.startsWith("is_date") ? "-7d" : (given[0] ?? "") };
}

/** Tick or untick a value. Without any the filter asks only whether the property is there. */
export function toggleValue(filter: Filter, value: string): Filter {
  const { value: _, ...rest } = filter;
  const given = VALUELESS.has(filter.operator ?? "exact") ? [] : valuesOf(filter);
  const next = given.includes(value) ? given.filter((each) => each !== value) : [...given, value];
  const negative = filter.operator === "is_not" || filter.operator === "is_not_set";
  if (next.length === 0) return { ...rest, operator: negative ? "is_not_set" : "is_set" };
  return { ...rest, operator: negative ? "is_not" : "exact", value: next };
}
