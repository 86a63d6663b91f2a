import { describe, expect, it } from "vitest";
import { peopleBehindStep } from "~/features/funnels/behind";
import { peopleBehindTrend } from "~/features/trends/behind";
import type { TrendsAnswer } from "~/features/trends/shape";

const BUCKETS = ["2026-11-16T00:00:00+01:00", "2026-11-17T00:00:00+01:00", "2026-11-18T00:00:00+01:00"];
const line = (value: string | null, more: object = {}) => ({ index: 0, name: "a", event: "a", breakdown_value: value, compare: null, data: [1, 1, 1], total: 3, ...more });
const answer = (...series: ReturnType<typeof line>[]): TrendsAnswer => ({
  meta: { elapsed_ms: 1, rows_read: 1, bytes_read: 1, cached: false, computed_at: "" },
  interval: "day",
  timezone: "Europe/Berlin",
  buckets: BUCKETS,
  compare_buckets: ["2026-11-13T00:00:00+01:00", "2026-11-14T00:00:00+01:00", "2026-11-15T00:00:00+01:00"],
  series,
});
const asked = ({ event, filters, date_from, date_to }: { event: string | null; filters: unknown; date_from: string; date_to?: string }) => ({ event, filters, date_from, date_to });

describe("people behind a trend", () => {
  const query = { series: [{ event: "a", filters: [{ property: "n", operator: "is_set" as const }] }], filters: [{ property: "c", value: "DE" }], date_from: "-2d" };
  const filters = [query.filters[0], query.series[0]?.filters[0]];

  it("did its event in the bucket", () => {
    const [found] = peopleBehindTrend(query, answer(line(null)), 1, null);
    expect(found && asked(found)).toEqual({ event: "a", filters, date_from: "2026-11-17T00:00:00+01:00", date_to: "2026-11-17T22:59:59.999Z" });
  });

  it("of the ends are those of the range", () => {
    const whole = answer(line(null));
    expect(peopleBehindTrend(query, whole, 0, null)[0]).toMatchObject({ date_from: "-2d" });
    expect(peopleBehindTrend(query, whole, 2, null)[0]).not.toHaveProperty("date_to");
    expect(peopleBehindTrend({ ...query, date_to: "2026-11-18" }, whole, 2, null)[0]).toMatchObject({ date_to: "2026-11-18" });
    expect(peopleBehindTrend({ ...query, cumulative: true }, whole, 1, null)[0]).toMatchObject({ date_from: "-2d", date_to: "2026-11-17T22:59:59.999Z" });
  });

  it("of an earlier range did it then", () => {
    const [found] = peopleBehindTrend(query, answer(line(null, { compare: "previous_period" })), 2, null);
    expect(found).toMatchObject({ date_from: "2026-11-15T00:00:00+01:00", date_to: "2026-11-15T22:59:59.999Z" });
  });

  it("had the line’s value, and the line that was pointed at comes first", () => {
    const brokenDown = { ...query, series: [{ event: "a" }], filters: [], breakdown: { property: "plan", scope: "person" as const } };
    const lists = peopleBehindTrend(brokenDown, answer(line("pro"), line(null), line("$other")), 1, "0 $other ");
    expect(lists.map(({ title }) => title.split(",")[0])).toEqual(["Other", "pro", "none"]);
    expect(lists.map((each) => each.filters)).toEqual([
      [{ property: "plan", scope: "person", operator: "is_set" }, { property: "plan", scope: "person", operator: "is_not", value: ["", "pro"] }],
      [{ property: "plan", scope: "person", operator: "exact", value: ["pro"] }],
      [{ any: [{ property: "plan", scope: "person", operator: "is_not_set" }, { property: "plan", scope: "person", operator: "exact", value: "" }] }],
    ]);
  });

  it("are none of a formula’s", () => expect(peopleBehindTrend({ ...query, formula: "A / 2" }, answer(line(null)), 1, null)).toEqual([]));
});

it("people behind a step did its event, and the list says that it knows no more", () => {
  const query = { steps: [{ event: "a" }, { event: "b", filters: [{ property: "n", operator: "is_set" as const }] }], filters: [{ property: "c", value: 1 }], date_from: "-7d" };
  const step = peopleBehindStep(query, 1);
  expect(asked(step)).toEqual({ event: "b", filters: [{ property: "c", value: 1 }, { property: "n", operator: "is_set" }], date_from: "-7d", date_to: undefined });
  expect(step.note).toMatch(/had not done the steps before/);
});
