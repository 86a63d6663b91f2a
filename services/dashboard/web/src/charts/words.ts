import type { ChartSeries } from "~/charts/series";

const MOST_LINES = 8;

/** A chart in words, for whoever cannot see it: where each line begins, ends and is highest. `names` are those of its buckets. */
export function describeLines(series: readonly Pick<ChartSeries, "label" | "data">[], names: readonly string[], number: (value: number) => string): string {
  const lines = series.slice(0, MOST_LINES).map(({ label, data }) => `${label}: ${describeLine(data, names, number)}.`);
  return [...lines, ...(series.length > lines.length ? [`And ${series.length - lines.length} more.`] : [])].join(" ");
}

function describeLine(data: readonly number[], names: readonly string[], number: (value: number) => string): string {
  const [first, last, most] = [data[0], data.at(-1), Math.max(...data)];
  if (first === undefined || last === undefined) return "nothing";
  const least = Math.min(...data);
  if (least === most) return data.length === 1 ? `${number(first)} on ${names[0]}` : `always ${number(first)}`;
  // What goes down from nothing, as those who have left do, is told by how deep it goes.
  const peak = Math.abs(least) > Math.abs(most) ? least : most;
  return `${number(first)} on ${names[0]}, ${number(last)} on ${names[data.length - 1]}, at most ${number(peak)} on ${names[data.indexOf(peak)]}`;
}
