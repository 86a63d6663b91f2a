import { PROPERTY_MATHS, type Maths, type Series } from "~/features/insights/document";

/** Another way of counting; the property stays as long as there is use for one. */
export function changeMath(series: Series, math: Maths): Series {
  const { math: _, math_property: property, ...rest } = series;
  if (PROPERTY_MATHS.has(math)) return { ...rest, math, ...(property == null ? {} : { math_property: property }) };
  return math === "total" ? rest : { ...rest, math };
}

/** Whether every series says all it must. */
export function isComplete(series: readonly Series[]): boolean {
  return series.every((each) => !PROPERTY_MATHS.has(each.math ?? "total") || each.math_property != null);
}
