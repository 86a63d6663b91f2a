import { expect, it } from "vitest";
import { placeFlow, traceFlow } from "~/features/paths/flow";
import { openFrom, overall } from "~/features/retention/shape";

const NOW = new Date("2026-11-24T12:00:00Z");

it("knows the periods that are not over", () => {
  expect(openFrom({ date: "2026-11-22T00:00:00Z" }, "day", NOW)).toBe(2);
  expect(openFrom({ date: "2026-11-24T00:00:00Z" }, "day", NOW)).toBe(0);
});

it("counts only periods that are over into the whole", () => {
  const cohorts = [
    { date: "2026-11-22T00:00:00Z", size: 10, values: [10, 5, 9] },
    { date: "2026-11-23T00:00:00Z", size: 30, values: [30, 1] },
  ];
  expect(overall({ cohorts, period: "day" }, NOW)).toEqual([1, 0.5, null]);
});

it("traces a node's flow in both directions", () => {
  const links = [
    ["1_a", "2_b"],
    ["1_c", "2_b"],
    ["2_b", "3_d"],
    ["1_c", "2_e"],
  ].map(([source = "", target = ""]) => ({ source, target, count: 1, avg_seconds: 1 }));
  const placed = placeFlow(links, 600, 300);
  const names = (id: string) => [...traceFlow(id, placed.links)].map((link) => (link.target as { id: string }).id).sort();
  expect(names("2_b")).toEqual(["2_b", "2_b", "3_d"]);
  expect(names("1_a")).toEqual(["2_b", "3_d"]);
});
