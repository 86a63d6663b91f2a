import { describe, expect, it } from "vitest";
import { change, compact, duration, exact, percent } from "~/format/numbers";

describe("numbers", () => {
  it.each([
    [0, "0"],
    [9_999, "9,999"],
    [12_345, "12.3K"],
    [1_250_000, "1.3M"],
    [-12_345, "-12.3K"],
    [2.5, "2.5"],
    [null, "–"],
    [Number.NaN, "–"],
  ])("compact(%s) is %s", (value, shown) => expect(compact(value, "en-US")).toBe(shown));

  it("follows the reader's locale", () => {
    expect(exact(1_234.5, "de-DE")).toBe("1.234,5");
    expect(percent(0.305, "de-DE")).toBe("30,5\u00a0%");
  });

  it.each([
    [0, "0.0%"],
    [1, "100.0%"],
    [0.30592, "30.6%"],
    [undefined, "–"],
  ])("percent(%s) is %s", (value, shown) => expect(percent(value, "en-US")).toBe(shown));

  it.each([
    [12, 10, "+20%"],
    [5, 10, "-50%"],
    [10, 10, "0%"],
    [10, 0, null],
  ])("change(%s, %s) is %s", (now, before, shown) => expect(change(now, before, "en-US")).toBe(shown));

  it.each([
    [0, "0 s"],
    [0.25, "250 ms"],
    [1.23, "1.2 s"],
    [59.6, "1 min"],
    [200, "3 min 20 s"],
    [3_600, "1 h"],
    [3_605, "1 h"],
    [90_061, "1 d 1 h"],
    [172_800, "2 d"],
    [null, "–"],
  ])("duration(%s) is %s", (seconds, shown) => expect(duration(seconds, "en-US")).toBe(shown));
});
