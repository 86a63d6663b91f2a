import { describe, expect, it } from "vitest";
import { pickSeries, spread, stack } from "~/charts/series";
import { pickTicks } from "~/charts/ticks";
import { wrap } from "~/charts/wrap";

const line = (data: number[]) => ({ key: "", label: "", colour: "", data });

describe("stacks", () => {
  it("hold what the first series have together", () => expect(stack([line([1, 2]), line([3, 4])])).toEqual([[1, 2], [4, 6]]));
  it("do not lie on those of an earlier range", () => {
    const before = (data: number[]) => ({ ...line(data), pale: true });
    expect(stack([line([1, 2]), before([5, 6]), line([3, 4]), before([7, 8])])).toEqual([[1, 2], [5, 6], [4, 6], [12, 14]]);
  });
  it("go down by themselves below zero", () => expect(stack([line([1]), line([2]), line([-4]), line([-1])])).toEqual([[1], [3], [-4], [-5]]));
});

describe("the series that is pointed at", () => {
  const named = (key: string, data: number[]) => ({ ...line(data), key });
  const series = [named("a", [2, 0]), named("b", [5, 3]), named("c", [-4, 1])];
  it.each([
    [0, 2.5, false, "a"],
    [0, 9, false, "b"],
    [0, 1, true, "a"],
    [0, 6, true, "b"],
    [0, -2, true, "c"],
    [1, 1, true, "b"],
    [1, 20, true, "c"],
  ])("in bucket %s at %s, stacked: %s, is %s", (index, height, isStacked, key) => expect(pickSeries(series, index, height, isStacked)).toBe(key));
});

it("an earlier range is pointed at where no band is, or where only its bars are", () => {
  const before = [{ ...line([5]), key: "x", pale: true }, { ...line([2]), key: "y", pale: true }];
  const all = [{ ...line([2]), key: "now" }, ...before];
  expect([1, 4.9, 6.5].map((height) => pickSeries(all, 0, height, true))).toEqual(["now", "x", "y"]);
  expect([1, 4.9, 6.5].map((height) => pickSeries(before, 0, height, true))).toEqual(["x", "x", "y"]);
});

describe("labels at line ends", () => {
  it("stay where they want to be while there is room", () => expect(spread([10, 50, 90], 16, 100)).toEqual([10, 50, 90]));
  it("make room in their order, within the chart", () => {
    const placed = spread([96, 95, 10], 16, 100);
    expect(placed[2]).toBe(10);
    expect(placed[1]).toBe(84);
    expect(placed[0]).toBe(100);
  });
});

describe("ticks", () => {
  const hours = (from: string, count: number) => Array.from({ length: count }, (_, index) => new Date(Date.parse(from) + index * 3_600_000));
  const days = (from: string, count: number) => Array.from({ length: count }, (_, index) => new Date(Date.parse(from) + index * 86_400_000));

  it("are on every bucket where there is room", () => expect(pickTicks(days("2026-11-01T00:00:00Z", 5), "day", "UTC", 10)).toEqual([0, 1, 2, 3, 4]));
  it("fall on Mondays", () => expect(pickTicks(days("2026-11-01T00:00:00Z", 30), "day", "UTC", 8)).toEqual([1, 8, 15, 22, 29]));
  it("fall on the first of a month", () => expect(pickTicks(days("2026-01-01T00:00:00Z", 120), "day", "UTC", 5)).toEqual([0, 31, 59, 90]));
  it("fall on midnight in the project's zone, not in the reader's", () =>
    // Midnight in Kolkata is 18:30 UTC.
    expect(pickTicks(hours("2026-11-01T18:30:00Z", 72), "hour", "Asia/Kolkata", 4)).toEqual([0, 24, 48]));
  it("are there however narrow it is", () => expect(pickTicks(days("2026-11-03T00:00:00Z", 5), "day", "UTC", 1).length).toBe(1));
});

it("wraps a title", () => expect(wrap("aa bb cc dd", (text) => text.length, 5)).toEqual(["aa bb", "cc dd"]));
