import { describe, expect, it } from "vitest";
import { countNames, countValues } from "~/features/insights/known";

describe("what is known of people", () => {
  const people = [{ plan: "pro", vip: true }, { plan: "Free", list: [1] }, { plan: "pro", name: null }];

  it("has names, the most frequent first", () =>
    expect(countNames(people)).toEqual([
      { property: "plan", count: 3 },
      { property: "list", count: 1 },
      { property: "name", count: 1 },
      { property: "vip", count: 1 },
    ]));

  it("has values that can be chosen", () => {
    expect(countValues(people, "plan", "")).toEqual([{ value: "pro", count: 2 }, { value: "Free", count: 1 }]);
    expect(countValues(people, "plan", "FR")).toEqual([{ value: "Free", count: 1 }]);
    expect(countValues(people, "vip", "")).toEqual([{ value: "true", count: 1 }]);
    expect([...countValues(people, "list", ""), ...countValues(people, "name", ""), ...countValues(people, "constructor", "")]).toEqual([]);
  });
});
