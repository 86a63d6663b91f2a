/** A trend's answer as charts and tables take it. */
import type { Schemas } from "~/api/client";
import type { ChartSeries } from "~/charts/series";
import { earlierLabel } from "~/features/insights/words";
import { assignColours, colourOf, OTHER } from "~/format/colours";

export type TrendsAnswer = Schemas["TrendsAnswer"];

export interface ShownSeries extends ChartSeries {
  total: number;
}

/** What a series is called, and what its colour goes by: the value of a breakdown keeps its colour everywhere. */
export function nameSeries(answer: TrendsAnswer): { label: string; colourName: string }[] {
  const severalEvents = new Set(answer.series.map((each) => each.index)).size > 1;
  const isBrokenDown = answer.series.some((each) => each.breakdown_value !== null);
  return answer.series.map((each) => {
    const value = isBrokenDown ? valueName(each.breakdown_value) : null;
    const base = value === null ? each.name : severalEvents ? `${each.name} · ${value}` : value;
    return {
      label: each.compare === null ? base : `${base}, ${earlierLabel(each.compare)}`,
      colourName: value === null ? each.name : each.breakdown_value === OTHER ? OTHER : severalEvents ? `${each.name} ${value}` : value,
    };
  });
}

export function valueName(value: string | null): string {
  if (value === null) return "none";
  if (value === OTHER) return "Other";
  return value === "" ? "empty" : value;
}

export function shapeTrends(answer: TrendsAnswer): ShownSeries[] {
  const names = nameSeries(answer);
  const distinct = [...new Set(names.map(({ colourName }) => colourName))];
  const colours = assignColours(distinct);
  return answer.series.map((each, index) => {
    const { label, colourName } = names[index] ?? { label: each.name, colourName: each.name };
    return {
      key: `${each.index} ${each.breakdown_value ?? "\u0000"} ${each.compare ?? ""}`,
      label,
      colour: colourOf(colours[distinct.indexOf(colourName)] ?? 0),
      data: each.data,
      total: each.total,
      pale: each.compare !== null,
    };
  });
}
