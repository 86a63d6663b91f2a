import { expect, it } from "vitest";
import { howFar } from "~/features/insights/headway";

it("a job says what it waits for, and how much it has read", () => {
  expect(howFar({ progress: null })).toBe("Waiting for its turn");
  expect(howFar({ progress: { rows_read: 0, total_rows: 0 } })).toBe("In the background");
  expect(howFar({ progress: { rows_read: 4_000, total_rows: 10_000 } })).toBe("4,000 of 10K events");
  expect(howFar({ progress: { rows_read: 12_000, total_rows: 10_000 } })).toBe("10K of 10K events");
});

it("whoever hears it is not told every number", () =>
  expect([4_100, 4_900, 5_000].map((read) => howFar({ progress: { rows_read: read, total_rows: 10_000 } }, 10))).toEqual(["40% read", "40% read", "50% read"]));
