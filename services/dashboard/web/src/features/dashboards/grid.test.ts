import { describe, expect, it } from "vitest";
import { overlap, place, same, settle, type Placed } from "~/features/dashboards/grid";

const at = (id: number, x: number, y: number, w: number, h: number): Placed => ({ id, layout: { x, y, w, h } });

describe("the grid", () => {
  it("lets nothing float and nothing overlap", () => {
    expect(settle([at(1, 0, 5, 6, 4), at(2, 0, 20, 12, 3), at(3, 6, 5, 6, 2)])).toEqual([at(1, 0, 0, 6, 4), at(3, 6, 0, 6, 2), at(2, 0, 4, 12, 3)]);
  });

  it("lets the one that is moved push the others away", () => {
    const moved = place([at(1, 0, 0, 6, 4), at(2, 6, 0, 6, 4), at(3, 0, 4, 12, 2)], 3, { x: 0, y: 0, w: 12, h: 2 });
    expect(same(moved, [at(3, 0, 0, 12, 2), at(1, 0, 2, 6, 4), at(2, 6, 2, 6, 4)])).toBe(true);
  });

  it("keeps widgets readable and inside", () => {
    expect(place([at(1, 0, 0, 6, 4)], 1, { x: 40, y: -3, w: 1, h: 1 })[0]).toEqual(at(1, 9, 0, 3, 2));
    expect(place([at(1, 0, 0, 6, 4)], 1, { x: 0, y: 0, w: 99, h: 4 })[0]).toEqual(at(1, 0, 0, 12, 4));
  });

  it("never overlaps, wherever a widget goes", () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    let widgets = Array.from({ length: 8 }, (_, id) => at(id, random(10), random(12), 3 + random(6), 2 + random(4)));
    for (let round = 0; round < 200; round++) {
      widgets = place(widgets, random(8), { x: random(12), y: random(14), w: 1 + random(12), h: 1 + random(6) });
      for (const one of widgets)
        for (const other of widgets) expect(one.id !== other.id && overlap(one.layout, other.layout)).toBe(false);
    }
  });
});
