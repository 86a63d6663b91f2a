import { expect, it } from "vitest";
import { describeLines } from "~/charts/words";

const names = ["Monday", "Tuesday", "Wednesday"];
const describe = (...series: { label: string; data: number[] }[]) => describeLines(series, names, String);

it("a line is told by its ends and by where it is highest", () =>
  expect(describe({ label: "Chrome", data: [3, 9, 4] })).toBe("Chrome: 3 on Monday, 4 on Wednesday, at most 9 on Tuesday."));

it("one below zero by where it is deepest", () =>
  expect(describe({ label: "Dormant", data: [0, -7, -2] })).toBe("Dormant: 0 on Monday, -2 on Wednesday, at most -7 on Tuesday."));

it("a flat one, a single point and none at all", () =>
  expect(describe({ label: "a", data: [0, 0, 0] }, { label: "b", data: [5] }, { label: "c", data: [] })).toBe("a: always 0. b: 5 on Monday. c: nothing."));

it("many lines are not all told", () => expect(describe(...names.flatMap((label) => [1, 2, 3, 4].map(() => ({ label, data: [1] }))))).toMatch(/ And 4 more\.$/));
