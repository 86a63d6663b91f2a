/** Cells of a table: where keys lead among them, and which of very many are in sight. Pure. */
export interface Spot {
  row: number;
  column: number;
}

const STEPS: Readonly<Record<string, readonly [row: number, column: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

/** Where a key leads from a cell, with Ctrl as far as Home and End go both ways; null for keys that lead nowhere. */
export function walk(key: string, isCtrl: boolean, { row, column }: Spot, last: Spot): Spot | null {
  const [down, along] = STEPS[key] ?? [0, 0];
  if (down === 0 && along === 0) return null;
  const isFar = isCtrl && !Number.isFinite(along);
  return { row: within(row + (isFar ? along : down), last.row), column: within(column + along, last.column) };
}

function within(place: number, last: number): number {
  return Math.min(last, Math.max(0, place));
}

/** Columns `from` to before `to`. */
export interface Span {
  from: number;
  to: number;
}

/** How many columns come and go at once. */
export const STEP = 6;

/** Which of `count` columns, each `width` wide, are seen through a window of `room` that begins at `left`, and some beside them. */
export function columnsInSight(left: number, room: number, width: number, count: number): Span {
  const from = Math.max(0, Math.floor(left / width / STEP) - 1) * STEP;
  const to = (Math.ceil((left + room) / width / STEP) + 1) * STEP;
  return { from: Math.min(from, count), to: Math.min(to, count) };
}
