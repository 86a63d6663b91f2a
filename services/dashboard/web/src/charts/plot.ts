import uPlot from "uplot";
import { colourOf } from "~/format/colours";
import { stack, type ChartSeries } from "~/charts/series";

export type PlotKind = "line" | "area" | "bar";

interface Wanted {
  kind: PlotKind;
  series: readonly ChartSeries[];
  ticks: (width: number) => { at: number[]; names: string[] };
  number: (value: number) => string;
  /** Whether the values are numbers of something, which have no halves. */
  isCount: boolean;
  /** Whether the last bucket is not over yet. */
  isOpen: boolean;
  width: number;
  height: number;
  end: number;
  /** The key of the series that stands out now, if one does. */
  focus: () => string | null;
  /** The bucket under the pointer, and how far from the left of the holder it is. */
  onHover: (index: number | null, left: number) => void;
  onDrawn: (plot: uPlot) => void;
  onClick?: () => void;
}

const MOST_SEAMS = 31;
const OTHER_COLOUR = colourOf(0);
/** Steps between lines of the grid that are whole. */
const WHOLE = Array.from({ length: 14 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

/** A token's colour for a canvas, which knows no variables. */
export function resolveColour(colour: string, alpha = 1): string {
  const name = /^var\((--[\w-]+)\)$/.exec(colour)?.[1];
  const value = name === undefined ? colour : getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return alpha === 1 ? value : value.replace(/\)$/, ` / ${alpha})`);
}

/** The part of a series that is over, and the one that is not. */
function split(data: readonly number[], isOpen: boolean, isBar: boolean): [(number | null)[], (number | null)[]] {
  const last = data.length - 1;
  if (!isOpen || last < 1) return [[...data], []];
  const closed = data.map((value, index) => (index < last ? value : null));
  const open = data.map((value, index) => (index === last || (!isBar && index === last - 1) ? value : null));
  return [closed, open];
}

export function makePlot(target: HTMLElement, wanted: Wanted): uPlot {
  const { kind, series, isOpen, focus } = wanted;
  const isBar = kind === "bar";
  const now = series.filter(({ pale }) => !pale);
  const stacked = kind !== "line" && now.length > 1;
  const length = series[0]?.data.length ?? 0;
  const values = stacked ? stack(series) : series.map(({ data }) => data);
  // The first is the largest, and lies on top; an earlier range is seen over areas.
  const isOver = (index: number) => series[index]?.pale === true;
  const drawn = series.map((_, index) => index).reverse().sort((one, other) => Number(isOver(one)) - Number(isOver(other)));
  const topBefore = series.findLast(({ pale }) => pale)?.key;
  const isWhole = wanted.isCount && series.every(({ data }) => data.every(Number.isInteger));
  // Between the parts of a bar, where bars are wide enough. They cost several times what the bars do.
  const hasSeams = stacked && length <= MOST_SEAMS;
  const surface = resolveColour("var(--surface)");
  const text = resolveColour("var(--text)");
  const strength = (key: string, usual: number) => (focus() === null || focus() === key ? usual : usual * 0.18);

  const lines: uPlot.Series[] = [];
  const data: (number | null)[][] = [];
  // An earlier range has bars beside those of now, on the left.
  const bars = (pale: boolean) => {
    const [size, align] = now.length === series.length ? ([[0.72, 64], 0] as const) : ([[0.36, 32], pale ? -1 : 1] as const);
    return uPlot.paths.bars?.({ size: [...size], align, radius: stacked ? 0 : 0.08 });
  };
  for (const index of drawn) {
    const each = series[index];
    if (each === undefined) continue;
    const colour = resolveColour(each.colour);
    const pale = each.pale === true;
    const isArea = kind === "area" && !pale;
    // Bands lie on top of one another, so what is paler has to be mixed and not to shine through.
    const tint = (usual: number) =>
      stacked
        ? `color-mix(in oklab, ${colour} ${Math.round(100 * strength(each.key, usual))}%, ${surface})`
        : colour.replace(/\)$/, ` / ${strength(each.key, usual)})`);
    // Over bands, an earlier range is one line, its sum, and the line of a series that is asked for.
    const sum = () => (each.key === topBefore || focus() === each.key ? `color-mix(in oklab, ${text} ${Math.round(100 * strength(each.key, 0.8))}%, ${surface})` : "transparent");
    const path = isBar ? bars(pale) : undefined;
    split(values[index] ?? [], isOpen, isBar).forEach((part, open) => {
      if (part.length === 0) return;
      data.push(part);
      lines.push({
        label: each.key,
        width: isBar ? (hasSeams ? 1 : 0) : pale || each.colour === OTHER_COLOUR ? 1.25 : 2,
        stroke: () => (isBar ? surface : pale && stacked ? sum() : tint(pale ? 0.5 : 1)),
        points: { show: !isBar && part.filter((value) => value !== null).length === 1 && open === 0, size: 7, fill: () => colour },
        ...(open === 1 && !isBar ? { dash: [4, 4] } : {}),
        ...(isBar ? { fill: () => tint((pale ? 0.42 : 1) * (open === 1 ? 0.42 : 1)), ...(path ? { paths: path } : {}) } : {}),
        ...(isArea && open === 0 ? { fill: () => (stacked ? tint(0.85) : tint(0.14)) } : {}),
        ...(isArea && stacked && open === 0 ? { stroke: () => surface, width: 1 } : {}),
      });
    });
  }

  const soft = resolveColour("var(--text-soft)");
  const font = '12px "Inter Variable", sans-serif';
  const plot = new uPlot(
    {
      width: wanted.width,
      height: wanted.height,
      padding: [12, wanted.end, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: kind === "line" }, drag: { x: false, y: false }, focus: { prox: -1 } },
      scales: {
        x: { time: false, range: () => (isBar ? [-0.6, length - 0.4] : [length === 1 ? -0.5 : 0, length === 1 ? 0.5 : length - 1]) },
        y: { range: (_, low, high) => yRange(low, high, kind) },
      },
      axes: [
        {
          stroke: soft,
          font,
          grid: { show: false },
          ticks: { show: true, stroke: resolveColour("var(--line)"), width: 1, size: 4 },
          gap: 6,
          size: 30,
          splits: (self) => wanted.ticks(self.bbox.width / devicePixelRatio).at,
          values: (self) => wanted.ticks(self.bbox.width / devicePixelRatio).names,
        },
        {
          stroke: soft,
          font,
          size: (_, labels: string[] | null) => 14 + 7 * Math.max(3, ...(labels ?? []).map((label) => label.length)),
          gap: 8,
          grid: { stroke: resolveColour("var(--grid)"), width: 1 },
          ticks: { show: false },
          values: (_, splits) => splits.map(wanted.number),
          ...(isWhole ? { incrs: WHOLE } : {}),
          space: 44,
        },
      ],
      series: [{}, ...lines],
      hooks: {
        setCursor: [
          (self) => {
            const left = self.cursor.left ?? -1;
            wanted.onHover(left < 0 ? null : (self.cursor.idx ?? null), left + self.bbox.left / devicePixelRatio);
          },
        ],
        draw: [wanted.onDrawn],
      },
    },
    [Array.from({ length }, (_, index) => index), ...data] as uPlot.AlignedData,
    target,
  );
  return plot;
}

/** From 0 for what has an area; a flat or empty chart still gets a scale. */
function yRange(low: number | null, high: number | null, kind: PlotKind): [number, number] {
  const top = Math.max(0, high ?? 0);
  const bottom = Math.min(0, low ?? 0);
  if (top === 0 && bottom === 0) return [0, 1];
  const [from, to] = uPlot.rangeNum(bottom, top, { min: { pad: 0, soft: 0, mode: 1 }, max: { pad: 0.08, soft: 0, mode: 1 } });
  return [kind === "line" && (low ?? 0) >= 0 ? 0 : (from ?? bottom), to ?? top];
}
