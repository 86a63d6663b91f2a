import { describe, expect, it } from "vitest";
import { behindBin, behindEntries, behindStep } from "~/features/funnels/behind";
import { behindLifecycle } from "~/features/lifecycle/behind";
import { behindLink, behindNode } from "~/features/paths/behind";
import { behindCell } from "~/features/retention/behind";
import { behindBar } from "~/features/stickiness/behind";
import { behindTrend } from "~/features/trends/behind";
import type { TrendsAnswer } from "~/features/trends/shape";
import { bucketName } from "~/format/times";

const meta = { elapsed_ms: 1, rows_read: 1, bytes_read: 1, cached: false, computed_at: "" };
const BUCKETS = ["2026-11-16T00:00:00+01:00", "2026-11-17T00:00:00+01:00"];
const [MONDAY, TUESDAY] = BUCKETS.map((text) => bucketName(new Date(text), "day", "Europe/Berlin"));
const DAYS = { interval: "day", timezone: "Europe/Berlin", buckets: BUCKETS, meta } as const;

describe("behind a trend", () => {
  const line = (value: string | null, more: object = {}) => ({ index: 0, name: "a", event: "a", breakdown_value: value, compare: null, data: [1, 1], total: 2, ...more });
  const answer = (...series: ReturnType<typeof line>[]): TrendsAnswer => ({ ...DAYS, buckets: [...BUCKETS], series, compare_buckets: ["2026-11-14T00:00:00+01:00"] });

  it("a point is named as the answer names it", () =>
    expect(behindTrend(answer(line(null)), 1, null)).toEqual([
      { title: `a, ${TUESDAY}`, point: { index: 0, bucket: BUCKETS[1], breakdown_value: null, compare: null } },
    ]));

  it("a total has no bucket", () => {
    expect(behindTrend(answer(line(null)), null, null)).toEqual([
      { title: "a, whole range", point: { index: 0, bucket: null, breakdown_value: null, compare: null } },
    ]);
  });

  it("an earlier range has its own buckets, perhaps fewer", () => {
    const compared = answer(line(null), line(null, { compare: "-1w" }));
    expect(behindTrend(compared, 0, null).map(({ point }) => point)).toMatchObject([{ bucket: BUCKETS[0], compare: null }, { bucket: "2026-11-14T00:00:00+01:00", compare: "-1w" }]);
    expect(behindTrend(compared, 1, null)).toHaveLength(1);
  });

  it("every line can be chosen, and the one that was pointed at comes first", () => {
    const lists = behindTrend(answer(line("pro"), line(null), line("$other")), 1, "0 $other ");
    expect(lists.map(({ title }) => title.split(",")[0])).toEqual(["Other", "pro", "none"]);
    expect(lists.map(({ point }) => point)).toMatchObject([{ breakdown_value: "$other" }, { breakdown_value: "pro" }, { breakdown_value: null }]);
  });
});

describe("behind a funnel", () => {
  const step = { index: 1, name: "pay", event: "pay", count: 3, conversion: 1, step_conversion: 1, avg_seconds: null, median_seconds: null };

  it("are who got to a step and who did not get further, of everybody or of a value", () => {
    expect(behindStep(step, "reached")).toEqual({ title: "Got to 2. pay", point: { index: 1, outcome: "reached" } });
    expect(behindStep(step, "dropped", { label: "pro", value: "pro" })).toEqual({ title: "pro: Lost after 2. pay", point: { index: 1, outcome: "dropped", breakdown_value: "pro" } });
    expect(behindStep(step, "reached", { label: "none", value: null }).point).toEqual({ index: 1, outcome: "reached", breakdown_value: null });
  });

  it("are who took so long", () => expect(behindBin({ from_seconds: 60, to_seconds: 120, count: 1 }, 3)).toEqual({ title: "Took 1 min – 2 min", point: { bin: 3 } }));

  it("are who began then, and how it went on", () => {
    const trend = { ...DAYS, buckets: [...BUCKETS], entered: [2, 1], converted: [1, 0], conversion: [0.5, 0] };
    expect(behindEntries(trend, 0, "entered").map(({ point }) => point)).toEqual(["entered", "converted", "dropped"].map((outcome) => ({ bucket: BUCKETS[0], outcome })));
  });
});

it("behind a cell are who of the cohort came back then", () => {
  const cohort = { date: "2026-11-16T00:00:00+01:00", size: 2, values: [2, 1] };
  const answer = { period: "day" as const, timezone: "Europe/Berlin", cohorts: [cohort], meta };
  expect(behindCell(answer, cohort, 0)).toEqual({ title: `Began: ${MONDAY}`, point: { date: cohort.date, period: 0 } });
  expect(behindCell(answer, cohort, 1)).toEqual({ title: `${MONDAY}, day 1`, point: { date: cohort.date, period: 1 } });
});

it("behind a bucket of lifecycle are the people of each state, first of the one that was pointed at", () => {
  const answer = { ...DAYS, buckets: [...BUCKETS], new: [1, 0], returning: [0, 1], resurrecting: [0, 0], dormant: [0, -1] };
  const [first, ...others] = behindLifecycle(answer, 1, "dormant");
  expect(first).toEqual({ title: `Dormant, ${TUESDAY}`, point: { bucket: BUCKETS[1], state: "dormant" } });
  expect(others.map(({ point }) => point)).toEqual(["returning", "new", "resurrecting"].map((state) => ({ bucket: BUCKETS[1], state })));
});

it("behind a bar are who was active in so many intervals", () => {
  const series = { index: 1, name: "open", event: "open", counts: [3, 1] };
  const answer = { ...DAYS, intervals: [1, 2], series: [series] };
  expect(behindBar(answer, series, 0)).toEqual({ title: "open, 1 day", point: { index: 1, intervals: 1 } });
  expect(behindBar(answer, series, 1)).toEqual({ title: "open, 2 days", point: { index: 1, intervals: 2 } });
});

it("behind a path are who went from one node to the next, or through one", () => {
  expect(behindLink("1_/home", "2_/a_b")).toEqual({ title: "/home → /a_b, from step 1", point: { source: "1_/home", target: "2_/a_b" } });
  expect(behindNode("2_/a_b")).toEqual({ title: "/a_b at step 2", point: { node: "2_/a_b" } });
});
