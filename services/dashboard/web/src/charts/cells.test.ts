import { describe, expect, it } from "vitest";
import { columnsInSight, walk } from "~/charts/cells";

describe("keys in a table", () => {
  const last = { row: 3, column: 5 };
  const from = (row: number, column: number) => (key: string, isCtrl = false) => walk(key, isCtrl, { row, column }, last);

  it("arrows lead to the next cell, and not beyond the last", () => {
    expect(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"].map((key) => from(1, 1)(key))).toEqual([
      { row: 0, column: 1 },
      { row: 2, column: 1 },
      { row: 1, column: 0 },
      { row: 1, column: 2 },
    ]);
    expect(["ArrowUp", "ArrowLeft"].map((key) => from(0, 0)(key))).toEqual([{ row: 0, column: 0 }, { row: 0, column: 0 }]);
    expect(["ArrowDown", "ArrowRight"].map((key) => from(3, 5)(key))).toEqual([last, last]);
  });

  it("Home and End lead to the ends of the row, with Ctrl to those of the table", () => {
    expect(from(2, 3)("Home")).toEqual({ row: 2, column: 0 });
    expect(from(2, 3)("End")).toEqual({ row: 2, column: 5 });
    expect(from(2, 3)("Home", true)).toEqual({ row: 0, column: 0 });
    expect(from(2, 3)("End", true)).toEqual(last);
  });

  it("others are left alone", () => expect(from(1, 1)("Enter")).toBeNull());
});

describe("columns in sight", () => {
  it("are those that are seen, with more on both sides", () => {
    expect(columnsInSight(2_000, 700, 70, 91)).toEqual({ from: 18, to: 48 });
  });

  it("stay the same while one scrolls a little", () => {
    expect(columnsInSight(2_010, 700, 70, 91)).toEqual(columnsInSight(2_000, 700, 70, 91));
  });

  it("end where the table does", () => {
    expect(columnsInSight(-200, 700, 70, 91)).toEqual({ from: 0, to: 18 });
    expect(columnsInSight(5_670, 700, 70, 91)).toEqual({ from: 72, to: 91 });
    expect(columnsInSight(0, 700, 70, 3)).toEqual({ from: 0, to: 3 });
  });
});
