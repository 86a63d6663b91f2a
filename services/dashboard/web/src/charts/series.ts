/** One line of a chart. */
export interface ChartSeries {
  key: string;
  label: string;
  colour: string;
  data: readonly number[];
  /** Of an earlier range: thinner and paler. */
  pale?: boolean;
}

/**
 * Sums for stacking: the n-th list holds what the first n series have together, so that drawing them from the last to
 * the first leaves each its own band. What is below zero is stacked downwards by itself.
 */
export function stack(series: readonly ChartSeries[]): number[][] {
  const above: number[] = [];
  const below: number[] = [];
  return series.map(({ data }) =>
    data.map((value, index) => {
      const sums = value < 0 ? below : above;
      return (sums[index] = (sums[index] ?? 0) + value);
    }),
  );
}

/** The key of the series that is drawn nearest to a height in a bucket: of a stack, the one whose band is there. */
export function pickSeries(series: readonly ChartSeries[], index: number, height: number, isStacked: boolean): string | null {
  const tops = isStacked && series.length > 1 ? stack(series).map((sums) => sums[index] ?? 0) : series.map(({ data }) => data[index] ?? 0);
  if (isStacked) {
    const within = tops.findIndex((top, at) => (series[at]?.data[index] ?? 0) !== 0 && (height < 0 ? top <= height : top >= height));
    if (within >= 0) return series[within]?.key ?? null;
  }
  const distances = tops.map((top) => Math.abs(top - height));
  return series[distances.indexOf(Math.min(...distances))]?.key ?? null;
}

/** Positions at least `gap` apart, as near to the wanted ones as their order allows, within 0 to `height`. */
export function spread(wanted: readonly number[], gap: number, height: number): number[] {
  const order = wanted.map((_, index) => index).sort((one, other) => (wanted[one] ?? 0) - (wanted[other] ?? 0));
  const placed: number[] = [];
  let last = -Infinity;
  for (const index of order) {
    last = Math.max(wanted[index] ?? 0, last + gap);
    placed[index] = last;
  }
  const tooLow = last - height;
  if (tooLow > 0) {
    let limit = height;
    for (const index of order.reverse()) {
      placed[index] = Math.min(placed[index] ?? 0, limit);
      limit = (placed[index] ?? 0) - gap;
    }
  }
  return placed;
}
