import { defaultParseSearch, defaultStringifySearch } from "@tanstack/react-router";
import { describe, expect, it } from "vitest";
import { describeFunnel, fitBreakdown, fitExclusions, funnelQuery, readFunnels } from "~/features/funnels/document";
import { isDate, usualInterval, type Range } from "~/features/insights/document";
import { merge } from "~/features/insights/search";
import { findPreset, PRESETS, rangeLabel, sentence } from "~/features/insights/words";
import { describeLifecycle, lifecycleQuery, readLifecycle } from "~/features/lifecycle/document";
import { describePaths, pathsQuery, readPaths } from "~/features/paths/document";
import { describeRetention, readRetention, retentionQuery } from "~/features/retention/document";
import { describeStickiness, readStickiness, stickinessQuery } from "~/features/stickiness/document";
import { describeTrends, readTrends, trendsQuery } from "~/features/trends/document";

/** What an address becomes on its way through the browser. */
const through = (search: Record<string, unknown>) => defaultParseSearch(defaultStringifySearch(search));

const TREND = {
  series: [
    { event: "signup", math: "unique_users", filters: [{ property: "plan", operator: "exact", value: ["pro", "team"] }] },
    { event: "purchase", math: "sum", math_property: "amount" },
    { event: null },
  ],
  filters: [{ any: [{ property: "country", operator: "exact", value: ["DE"] }, { property: "vip", operator: "is_set" }] }],
  breakdown: { property: "plan", scope: "person", limit: 10 },
  date_from: "-30d",
  interval: "week",
  compare: "previous_period",
  cumulative: true,
  chart: "bar",
};

describe("a view is a link", () => {
  it.each([
    ["trends", readTrends, TREND],
    ["funnels", readFunnels, { steps: [{ event: "a" }, { event: "b", filters: [{ property: "n", operator: "gt", value: 5 }] }], window: { value: 3, unit: "hour" }, order: "strict", date_from: "2026-11-01", date_to: "2026-11-12" }],
    ["funnels with all there is", readFunnels, { steps: [{ event: "a" }, { event: "b" }, { event: null }], exclusions: [{ event: "c", filters: [{ property: "n", operator: "gt", value: 5 }], from_step: 0, to_step: 2 }, { event: null, from_step: 1, to_step: 2 }], breakdown: { property: "plan", attribution: "step", step: 1 }, view: "trend", interval: "week" }],
    ["funnels by what is known of people", readFunnels, { steps: [{ event: "a" }, { event: "b" }], breakdown: { property: "plan", scope: "person" }, view: "time_to_convert" }],
    ["retention", readRetention, { start: { event: "a" }, return: { event: "b" }, period: "week", periods: 6, mode: "first_time", cumulative: true }],
    ["lifecycle", readLifecycle, { event: null, interval: "day", date_from: "-14d" }],
    ["stickiness", readStickiness, { series: [{ event: "a" }], interval: "week", cumulative: true }],
    ["paths", readPaths, { start: "/", end: "/pay", steps: 4, max_links: 20, include: ["$pageview"], exclude: ["/login", "a,b"] }],
  ])("%s come back as they were", (_, read: (search: Record<string, unknown>) => object, state) => {
    expect(through(read(through(state)) as Record<string, unknown>)).toEqual(through(state));
  });

  it("keeps an event whose name looks like a number or like JSON", () => {
    for (const event of ["42", "true", "null", '{"a":1}', "ö & = ? #", " "])
      expect(readTrends(through({ series: [{ event }] }))).toEqual({ series: [{ event }] });
  });

  it.each([
    [{ series: "signup", date_from: "yesterday", interval: "year", chart: "pie", compare: "ever", breakdown: "plan", filters: { a: 1 } }, {}],
    [{ series: [{}, { event: 7 }, { event: ["a"] }, "b", null] }, { series: [{ event: null }, { event: "7" }] }],
    [{ filters: [{ property: "a", operator: "like", value: 1 }, { property: "b", operator: "gt" }, { property: "c", operator: "exact", value: [1, {}, "x"] }] }, { filters: [{ property: "c", operator: "exact", value: [1, "x"] }] }],
    [{ date_from: "2026-11-01T10:00:00Z", date_to: "all" }, { date_from: "2026-11-01T10:00:00Z" }],
  ])("leaves out what it does not understand: %j", (search, state) => expect(readTrends(search)).toEqual(state));
});

describe("funnels", () => {
  const steps = [{ event: "a" }, { event: "b" }, { event: "c" }];

  it("keep exclusions and breakdowns to the steps that there are", () => {
    const exclusions = [{ event: "x", from_step: 1, to_step: 2 }];
    expect(fitExclusions(exclusions, 3, "ordered")).toEqual(exclusions);
    expect(fitExclusions(exclusions, 2, "strict")).toEqual([{ event: "x", from_step: 0, to_step: 1 }]);
    expect(fitExclusions(exclusions, 3, "unordered")).toEqual([{ event: "x", from_step: 0, to_step: 2 }]);
    const breakdown = { property: "plan", attribution: "step", step: 2 } as const;
    expect(fitBreakdown(breakdown, 2, "ordered")).toEqual({ ...breakdown, step: 1 });
    expect(fitBreakdown(breakdown, 3, "unordered")).toEqual({ property: "plan" });
  });

  it("ask each view for what it can show", () => {
    const state = { steps, breakdown: { property: "plan" }, interval: "week" } as const;
    expect(funnelQuery({ ...state, steps })).not.toHaveProperty("interval");
    expect(funnelQuery({ ...state, steps, view: "time_to_convert" })).not.toHaveProperty("breakdown");
    expect(funnelQuery({ ...state, steps, view: "trend" })).toMatchObject({ view: "trend", interval: "week" });
  });

  it.each([
    [{ steps: "a", exclusions: [{ event: "x", from_step: 1, to_step: 1 }, { event: "x" }, { event: {}, from_step: 0, to_step: 1 }], view: "pie" }, {}],
    [{ breakdown: { property: "plan", attribution: "guess", step: 7 } }, { breakdown: { property: "plan" } }],
  ])("leave out what cannot be: %j", (search, state) => expect(readFunnels(search)).toEqual(state));
});

describe("query documents", () => {
  it("are the address without how it is drawn, and with what is usual", () => {
    expect(trendsQuery(readTrends({ series: [{ event: "a" }], chart: "bar" }))).toEqual({ series: [{ event: "a" }], interval: "day", date_from: "-7d" });
    expect(funnelQuery({ steps: [{ event: "a" }, { event: "b" }] })).toEqual({ steps: [{ event: "a" }, { event: "b" }], window: { value: 14, unit: "day" }, date_from: "-7d" });
    expect(retentionQuery({ start: { event: "a" }, period: "week" })).toEqual({ start: { event: "a" }, return: { event: "a" }, period: "week", periods: 8, date_from: "-8w" });
    expect(lifecycleQuery({ event: null })).toEqual({ event: null, interval: "day", date_from: "-30d" });
    expect(stickinessQuery({ series: [{ event: "a" }] })).toEqual({ series: [{ event: "a" }], interval: "day", date_from: "-30d" });
    expect(pathsQuery({})).toEqual({ steps: 5, max_links: 30, date_from: "-7d" });
  });

  it("are none while something is missing", () => {
    expect(trendsQuery({})).toBeNull();
    expect(trendsQuery({ series: [{ event: "a", math: "sum" }] })).toBeNull();
    expect(funnelQuery({ steps: [{ event: "a" }] })).toBeNull();
    expect(retentionQuery({})).toBeNull();
    expect(lifecycleQuery({})).toBeNull();
    expect(stickinessQuery({})).toBeNull();
  });
});

describe("sentences", () => {
  it.each([
    [describeTrends({}), "Choose an event to see how often it happens."],
    [
      describeTrends({ series: [{ event: "signup", math: "unique_users" }], breakdown: { property: "plan" }, date_from: "-30d" }),
      "Unique people who did signup, by plan, each day of the last 30 days.",
    ],
    [
      describeTrends({ series: [{ event: "a" }, { event: "b", math: "sum", math_property: "n" }], formula: "B / A", date_from: "-7d" }),
      "B / A, where A is how often a happened and B is sum of n of b, each day of the last 7 days.",
    ],
    [describeTrends({ series: [{ event: null }], compare: "-1y", chart: "number" }), "How often any event happened, the last 7 days, beside a year before."],
    [
      describeFunnel({ steps: [{ event: "a" }, { event: "b", filters: [{ property: "plan", operator: "exact", value: ["x", "y"] }] }], window: { value: 1, unit: "hour" } }),
      "People who did a, then b where plan is x or y within 1 hour, having begun in the last 7 days.",
    ],
    [
      describeFunnel({ steps: [{ event: "a" }, { event: "b" }], exclusions: [{ event: "c", from_step: 0, to_step: 1 }], breakdown: { property: "plan", scope: "person" } }),
      "People who did a, then b, by person’s plan within 14 days, without c in between, having begun in the last 7 days.",
    ],
    [
      describeFunnel({ steps: [{ event: "a" }, { event: "b" }], view: "trend" }),
      "The share of people who went all the way: a, then b within 14 days, each day of the last 7 days.",
    ],
    [describeRetention({ start: { event: "a" }, period: "week" }), "People who did a in a week of the last 8 weeks, and how many of them did a in each of the weeks after."],
    [describeLifecycle({ event: "a" }), "New, returning, resurrecting and dormant people who did a, each day of the last 30 days."],
    [describeTrends({ series: [{ event: "a" }], compare: "-4w", date_from: "-1m", timezone: "America/New_York" }), "How often a happened, each day of the last 1 month in America/New York, beside 4 weeks before."],
    [describeStickiness({ series: [{ event: "a" }], cumulative: true }), "On how many days people did a in the last 30 days, that many or more."],
    [describePaths({ include: ["$pageview"], start: "/" }), "The ways that people take through pages, from /, in the last 7 days."],
  ])("say the question: %#", (words, text) => expect(sentence(words)).toBe(text));
});

describe("ranges", () => {
  it("have a preset for each preset", () => {
    for (const preset of PRESETS) expect(findPreset(preset.range)).toBe(preset);
  });

  it.each([
    [{}, "Last 7 days"],
    [{ date_from: "-45d" }, "Last 45 days"],
    [{ date_from: "2026-11-01", date_to: "2026-11-12" }, "1 Nov 2026 – 12 Nov 2026"],
    [{ date_from: "2026-11-01" }, "Since 1 Nov 2026"],
  ])("%j is %s", (range, label) => expect(rangeLabel(range, "en-GB")).toBe(label));

  it.each<[Range, string]>([
    [{ date_from: "-60M" }, "minute"],
    [{ date_from: "-24h" }, "hour"],
    [{ date_from: "dStart" }, "hour"],
    [{ date_from: "-7d" }, "day"],
    [{ date_from: "-90d" }, "day"],
    [{ date_from: "-12m" }, "week"],
    [{ date_from: "-3y" }, "month"],
    [{ date_from: "all" }, "month"],
    [{ date_from: "2026-11-01", date_to: "2026-11-12" }, "day"],
  ])("%j is cut by the %s", (range, interval) => expect(usualInterval(range)).toBe(interval));

  it.each([
    ["-7d", true],
    ["-1mStart", true],
    ["mStart", true],
    ["2026-11-01", true],
    ["2026-11-01 10:00", true],
    ["all", true],
    ["7d", false],
    ["tomorrow", false],
    ["2026-1-1", false],
  ])("isDate(%s) is %s", (text, is) => expect(isDate(text)).toBe(is));
});

it("changes an address piece by piece", () => {
  expect(merge<{ a?: number; b?: number }>({ a: 1, b: 2 }, { a: undefined, b: 3 })).toEqual({ b: 3 });
});
