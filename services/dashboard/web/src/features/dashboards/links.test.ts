import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Dashboard, Widget } from "~/features/dashboards/api";
import { linkOf, questionOf } from "~/features/dashboards/links";

interface Properties {
  properties: Record<string, { default?: unknown }>;
}

const { components } = JSON.parse(readFileSync(new URL("../../../../../../schemas/openapi/query.json", import.meta.url), "utf8")) as {
  components: { schemas: Record<string, Properties> };
};

function fieldsOf(document: string): Properties["properties"] {
  const fields = Object.entries(components.schemas[document]?.properties ?? {});
  // A widget's project is its dashboard's, and a dashboard is refreshed as a whole.
  return Object.fromEntries(fields.filter(([name]) => name !== "project_id" && name !== "refresh"));
}

const filters = [
  { property: "plan", operator: "exact", value: ["pro", "team"] },
  { any: [{ property: "country", operator: "is_set", scope: "person" }, { all: [{ property: "n", operator: "between", value: [1, 2] }] }] },
];
const visit = { event: "visit", filters };
const common = { date_from: "-30d", date_to: "-1d", filters, timezone: "Asia/Kolkata" };
const breakdown = { property: "plan", scope: "person", limit: 3 };

/** For each kind: its document, the least that can be asked, and questions that use every field. */
const KINDS: Record<string, [document: string, least: Record<string, unknown>, ...full: Record<string, unknown>[]]> = {
  trends: [
    "TrendsQuery",
    { series: [{}] },
    { ...common, series: [{ ...visit, name: "Visits", math: "sum", math_property: "n" }], formula: "A * 2", interval: "month", compare: "-4m", cumulative: true, breakdown },
  ],
  funnels: [
    "FunnelQuery",
    { steps: [{}, { event: "buy" }] },
    {
      ...common,
      steps: [{ ...visit, name: "Came" }, { event: null }],
      window: { value: 90, unit: "second" },
      order: "strict",
      exclusions: [{ ...visit, from_step: 0, to_step: 1 }],
      breakdown: { ...breakdown, scope: undefined, attribution: "step", step: 1 },
    },
    { ...common, steps: [visit, visit], window: { value: 1, unit: "day" }, view: "time_to_convert", bins: 12 },
    { ...common, steps: [visit, visit], window: { value: 1, unit: "day" }, view: "trend", interval: "week" },
  ],
  retention: ["RetentionQuery", {}, { ...common, start: visit, return: { event: "buy" }, period: "week", periods: 3, mode: "first_time", cumulative: true }],
  lifecycle: ["LifecycleQuery", {}, { ...common, event: "visit", interval: "week" }],
  stickiness: ["StickinessQuery", { series: [{}] }, { ...common, series: [{ ...visit, name: "Visits" }], interval: "week", cumulative: true }],
  paths: ["PathsQuery", {}, { ...common, start: "/", end: "/pay", steps: 3, max_links: 20, min_weight: 2, include: ["$pageview"], exclude: ["/login"] }],
};

const anything = { event: null };

describe.each(Object.entries(KINDS))("the page of %s", (kind, [document, least, ...full]) => {
  it.each(full)("asks all that the widget asked: %#", (query) => {
    expect(questionOf({ kind, query })).toEqual(query);
  });

  it("has seen every field that there is", () => {
    expect(new Set(full.flatMap(Object.keys))).toEqual(new Set(Object.keys(fieldsOf(document))));
  });

  it("asks as the API does what the widget left to it", () => {
    const left = Object.entries(fieldsOf(document)).flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value] as const]));
    const spelledOut = {
      ...Object.fromEntries(left),
      ...least,
      ...("series" in least ? { series: [anything] } : {}),
      ...("steps" in least ? { steps: [anything, { event: "buy" }] } : {}),
      ...(kind === "retention" ? { start: anything, return: anything } : {}),
      ...(kind === "lifecycle" ? anything : {}),
    };
    expect({ ...Object.fromEntries(left), ...questionOf({ kind, query: least }) }).toEqual(spelledOut);
  });

  it("is where the widget leads, over the range of its dashboard", () => {
    const widget = { id: 7, kind, query: full[0], visualization: "bar" } as unknown as Widget;
    const seen = { date_from: "-1d", every: 300 };
    const link = linkOf({ id: 3, project_id: 1 } as unknown as Dashboard, widget, seen);
    expect(link?.to).toBe(`/p/$projectId/${kind}`);
    expect(link?.search).toMatchObject({ dashboard: 3, seen, widget: 7, date_from: "-1d", timezone: "Asia/Kolkata" });
    expect(link?.search).not.toHaveProperty("date_to");
    const own = linkOf({ id: 3, project_id: 1 } as unknown as Dashboard, widget, seen, {});
    expect(own?.search).toMatchObject({ seen, date_from: "-30d", date_to: "-1d" });
  });
});

it("a field that is null is one that was left out", () => {
  const asked = { steps: [anything, anything], view: "trend", interval: null, date_to: null, breakdown: null };
  expect(questionOf({ kind: "funnels", query: asked })).toMatchObject({ view: "trend", interval: "day" });
});

it("what this version does not know has no page", () => expect(questionOf({ kind: "cohorts", query: {} })).toBeNull());
