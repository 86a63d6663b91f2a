import { describe, expect, it } from "vitest";
import { assignColours, HUES, OTHER } from "~/format/colours";

describe("colours", () => {
  it("keep to the name, whatever else is in the chart", () => {
    const [alone] = assignColours(["Chrome"]);
    expect(assignColours(["Chrome", "Safari"])[0]).toBe(alone);
    expect(assignColours(["Chrome", "Firefox", "Edge"])[0]).toBe(alone);
  });

  it("are never twice in one chart, and grey from the ninth on", () => {
    const colours = assignColours(Array.from({ length: 12 }, (_, index) => `series ${index}`));
    expect(new Set(colours.slice(0, HUES)).size).toBe(HUES);
    expect(colours.slice(HUES)).toEqual([0, 0, 0, 0]);
  });

  it("leave grey to what is other", () => expect(assignColours([OTHER, "Chrome"])[0]).toBe(0));
});
