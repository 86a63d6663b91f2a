/** The places of widgets on a grid of 12 columns. Pure. */
export interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}
export interface Placed {
  id: number;
  layout: Place;
}

export const COLUMNS = 12;
export const LEAST = { w: 3, h: 2 };

export function overlap(one: Place, other: Place): boolean {
  return one.x < other.x + other.w && other.x < one.x + one.w && one.y < other.y + other.h && other.y < one.y + one.h;
}

/** Within the grid, and not smaller than can be read. */
export function fit(place: Place): Place {
  const w = Math.min(COLUMNS, Math.max(LEAST.w, Math.round(place.w)));
  return {
    w,
    h: Math.max(LEAST.h, Math.round(place.h)),
    x: Math.min(COLUMNS - w, Math.max(0, Math.round(place.x))),
    y: Math.max(0, Math.round(place.y)),
  };
}

/**
 * Every widget as high up as it can be, in reading order; `first`, the one that is being moved, keeps its place and
 * pushes the others away.
 */
export function settle(widgets: readonly Placed[], first?: number): Placed[] {
  const order = [...widgets].sort((one, other) => {
    const byRow = one.layout.y - other.layout.y;
    if (byRow !== 0) return byRow;
    if (one.id === first) return -1;
    if (other.id === first) return 1;
    return one.layout.x - other.layout.x;
  });
  const moved = order.find(({ id }) => id === first);
  const done: Placed[] = [];
  const blocked = (place: Place) => done.some((each) => overlap(each.layout, place)) || (moved !== undefined && overlap(moved.layout, place));
  for (const widget of order) {
    if (widget === moved) {
      done.push(widget);
      continue;
    }
    const layout = { ...fit(widget.layout), y: 0 };
    while (blocked(layout)) layout.y += 1;
    done.push({ id: widget.id, layout });
  }
  return first === undefined ? done : settle(done);
}

/** Put a widget somewhere; the others make room. */
export function place(widgets: readonly Placed[], id: number, layout: Place): Placed[] {
  return settle(
    widgets.map((each) => (each.id === id ? { id, layout: fit(layout) } : each)),
    id,
  );
}

export function same(one: readonly Placed[], other: readonly Placed[]): boolean {
  const known = new Map(one.map(({ id, layout }) => [id, layout]));
  return (
    one.length === other.length &&
    other.every(({ id, layout }) => {
      const before = known.get(id);
      return before !== undefined && (["x", "y", "w", "h"] as const).every((side) => before[side] === layout[side]);
    })
  );
}
