import { describe, expect, it } from "vitest";
import { changeOperator, readValue, toggleValue } from "~/features/insights/values";

describe("values of a filter", () => {
  it.each([
    ["gt", ["5"], 5],
    ["gt", ["five"], undefined],
    ["between", ["1", "2.5"], [1, 2.5]],
    ["between", ["1", ""], undefined],
    ["icontains", [" a b "], "a b"],
    ["is_date_after", ["-7d"], "-7d"],
    ["is_date_after", ["soon"], undefined],
  ] as const)("%s %j is %j", (operator, texts, value) => expect(readValue(operator, texts)).toEqual(value));

  it("are ticked and unticked, and without any the filter asks whether the property is there", () => {
    const fresh = { property: "plan", operator: "is_set" } as const;
    const one = toggleValue(fresh, "pro");
    expect(one).toEqual({ property: "plan", operator: "exact", value: ["pro"] });
    expect(toggleValue(one, "team").value).toEqual(["pro", "team"]);
    expect(toggleValue(one, "pro")).toEqual(fresh);
    expect(toggleValue({ property: "plan", operator: "is_not_set" }, "pro")).toEqual({ property: "plan", operator: "is_not", value: ["pro"] });
  });

  it("stay with another operator where they make sense", () => {
    expect(changeOperator({ property: "n", operator: "exact", value: ["5", "6"] }, "between")).toEqual({ property: "n", operator: "between", value: [5, 6] });
    expect(changeOperator({ property: "n", operator: "exact", value: ["a"] }, "gt")).toEqual({ property: "n", operator: "gt", value: 0 });
    expect(changeOperator({ property: "n", operator: "gt", value: 5 }, "is_not_set")).toEqual({ property: "n", operator: "is_not_set" });
    expect(changeOperator({ property: "n", operator: "gt", value: 5 }, "is_not")).toEqual({ property: "n", operator: "is_not", value: ["5"] });
  });
});
