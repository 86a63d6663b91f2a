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
 * the first leaves each its own band. What is below zero is stacked downwards by itself, and so is an earlier range.
 */
export function stack(series: readonly ChartSeries[]): number[][] {
  const now = { above: [] as number[], below: [] as number[] };
  const before = { above: [] as number[], below: [] as number[] };
  return series.map(({ data, pale }) =>
    data.map((value, index) => {
      const { above, below } = pale ? before : now;
      const sums = value < 0 ? below : above;
      return (sums[index] = (sums[index] ?? 0) + value);
    }),
  );
}

/** The key of the series that is drawn nearest to a height in a bucket: of a stack, the one whose band is there. */
export function pickSeries(series: readonly ChartSeries[], index: number, height: number, isStacked: boolean): string | null {
  const tops = (isStacked ? stack(series) : series.map(({ data }) => data)).map((sums) => sums[index] ?? 0);
  if (isStacked) {
    const hasNow = series.some(({ pale }) => !pale); // then an earlier range lies over its bands as lines
    const within = tops.findIndex((top, at) => {
      const each = series[at];
      if (each === undefined || (hasNow && each.pale) || !each.data[index]) return false;
      return height < 0 ? top <= height : top >= height;
    });
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
