import { expect, it } from "vitest";
import { askedOver, chartOf } from "~/features/dashboards/widgets";

const query = { event: "visit", date_from: "-30d", date_to: "-7d" };

it("without a range over all, each widget has its own", () => expect(askedOver(query, {})).toEqual(query));

it("a range over all replaces it, its end too", () => {
  expect(askedOver(query, { date_from: "-90d" })).toEqual({ event: "visit", date_from: "-90d" });
  expect(askedOver(query, { date_from: "2026-11-01", date_to: "2026-11-08" })).toEqual({ event: "visit", date_from: "2026-11-01", date_to: "2026-11-08" });
});

it("an end alone leaves the beginning", () => expect(askedOver(query, { date_to: "-1d" })).toEqual({ event: "visit", date_from: "-30d", date_to: "-1d" }));

it("a trend is drawn as it was saved, or as its document says", () => {
  expect(chartOf({ kind: "trends", visualization: "number", query: {} })).toBe("number");
  expect(chartOf({ kind: "trends", visualization: "auto", query: { chart: "bar" } })).toBe("bar");
  expect(chartOf({ kind: "trends", visualization: "auto", query: {} })).toBe("line");
  expect(chartOf({ kind: "paths", visualization: "number", query: {} })).toBeNull();
});
