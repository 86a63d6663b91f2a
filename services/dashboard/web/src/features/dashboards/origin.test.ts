import { expect, it } from "vitest";
import { split, withOrigin } from "~/features/dashboards/origin";

const read = withOrigin(({ event }) => (typeof event === "string" ? { event } : {}));

it("an address says what is asked and where somebody came from", () => {
  const address = read({ event: "visit", dashboard: 3, widget: 7, other: 1 });
  expect(address).toEqual({ event: "visit", dashboard: 3, widget: 7 });
  expect(split(address)).toEqual([{ event: "visit" }, { dashboard: 3, widget: 7 }]);
});

it("the way back leads to the dashboard as it was seen", () => {
  const seen = { date_from: "-4d", every: 60 };
  expect(split(read({ event: "visit", dashboard: 3, seen: { ...seen, every: 60, other: 1 } }))).toEqual([{ event: "visit" }, { dashboard: 3, seen }]);
  expect(read({ dashboard: 3, seen: {} })).toEqual({ dashboard: 3 });
});

it("who adds to a dashboard comes from it without a widget", () => expect(split(read({ dashboard: 3 }))).toEqual([{}, { dashboard: 3 }]));

it("a widget without its dashboard, and what is no id, is left out", () => {
  for (const broken of [{ widget: 7 }, { dashboard: "3", widget: 7 }, { dashboard: 0 }, { dashboard: 1.5 }]) expect(read(broken)).toEqual({});
});
