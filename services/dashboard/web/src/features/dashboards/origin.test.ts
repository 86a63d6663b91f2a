import { expect, it } from "vitest";
import type { Dashboard, Widget } from "~/features/dashboards/api";
import { linkOf, questionOf } from "~/features/dashboards/links";
import { split, withOrigin } from "~/features/dashboards/origin";

const read = withOrigin(({ event }) => (typeof event === "string" ? { event } : {}));

it("an address says what is asked and where somebody came from", () => {
  const address = read({ event: "visit", dashboard: 3, widget: 7, other: 1 });
  expect(address).toEqual({ event: "visit", dashboard: 3, widget: 7 });
  expect(split(address)).toEqual([{ event: "visit" }, { dashboard: 3, widget: 7 }]);
});

it("who adds to a dashboard comes from it without a widget", () => expect(split(read({ dashboard: 3 }))).toEqual([{}, { dashboard: 3 }]));

it("a widget without its dashboard, and what is no id, is left out", () => {
  for (const broken of [{ widget: 7 }, { dashboard: "3", widget: 7 }, { dashboard: 0 }, { dashboard: 1.5 }]) expect(read(broken)).toEqual({});
});

const visits = { series: [{ event: "visit" }], interval: "day", date_from: "-30d" };
const QUESTIONS: Record<string, Record<string, unknown>> = {
  trends: { ...visits, compare: "previous_period" },
  funnels: { steps: [{ event: "visit" }, { event: "buy" }], window: { value: 14, unit: "day" }, date_from: "-7d" },
  retention: { start: { event: "visit" }, return: { event: "buy" }, period: "week", periods: 8, date_from: "-8w" },
  lifecycle: { event: "visit", interval: "week", date_from: "-90d" },
  stickiness: visits,
  paths: { steps: 3, max_links: 20, date_from: "-7d" },
};

it.each(Object.entries(QUESTIONS))("the page of %s asks what the widget asked", (kind, query) => {
  const widget = { id: 7, kind, query, visualization: "bar" } as unknown as Widget;
  expect(questionOf(widget)).toEqual(query);
  const link = linkOf({ id: 3, project_id: 1 } as unknown as Dashboard, widget, { date_from: "-1d" });
  expect(link?.to).toBe(`/p/$projectId/${kind}`);
  expect(link?.search).toMatchObject({ dashboard: 3, widget: 7, date_from: "-1d" });
});

it("what this version does not know has no page", () => expect(questionOf({ kind: "cohorts", query: {} })).toBeNull());
