/** Where the axis of time is written on: at natural boundaries in the project's zone. */
import type { Interval } from "~/features/insights/document";
import { bucketTick } from "~/format/times";

interface Local {
  year: number;
  month: number;
  day: number;
  weekday: number;
  hour: number;
  minute: number;
}

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const formats = new Map<string, Intl.DateTimeFormat>();

export function inZone(moment: Date, zone: string): Local {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      year: "numeric",
      month: "numeric",
      day: "numeric",
      weekday: "short",
      hour: "numeric",
      minute: "numeric",
      hourCycle: "h23",
    });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, value]));
  return {
    year: Number(parts.year),
    month: Number(parts.month),
    day: Number(parts.day),
    weekday: WEEKDAYS.indexOf(parts.weekday ?? "Sun"),
    hour: Number(parts.hour),
    minute: Number(parts.minute),
  };
}

type Rule = (local: Local, index: number) => boolean;
const every: Rule = () => true;
const minutes = (step: number): Rule => (local) => local.minute % step === 0;
const hours = (step: number): Rule => (local) => local.minute === 0 && local.hour % step === 0;
const mondays: Rule = (local) => local.hour === 0 && local.minute === 0 && local.weekday === 1;
const firsts = (step: number): Rule => (local) => local.day === 1 && local.hour === 0 && local.minute === 0 && (local.month - 1) % step === 0;
const months = (step: number): Rule => (local) => (local.month - 1) % step === 0;
const nth = (step: number): Rule => (_, index) => index % step === 0;

const RULES: Record<Interval, Rule[]> = {
  minute: [every, minutes(5), minutes(10), minutes(15), minutes(30), hours(1), hours(3), hours(6), hours(24)],
  hour: [every, hours(2), hours(3), hours(6), hours(12), hours(24), mondays, firsts(1)],
  day: [every, nth(2), mondays, firsts(1), firsts(3), firsts(12)],
  week: [every, nth(2), nth(4), nth(8), nth(13), nth(26), nth(52)],
  month: [every, months(2), months(3), months(6), months(12)],
};

/** The indexes of the buckets that get a tick: the finest rule under which there are at most `most`. */
export function pickTicks(buckets: readonly Date[], interval: Interval, zone: string, most: number): number[] {
  const locals = buckets.map((bucket) => inZone(bucket, zone));
  for (const rule of RULES[interval]) {
    const found = locals.flatMap((local, index) => (rule(local, index) ? [index] : []));
    if (found.length <= most && (found.length > 1 || buckets.length < 4)) return found;
  }
  const step = Math.max(1, Math.ceil(buckets.length / Math.max(1, most)));
  return locals.flatMap((_, index) => (index % step === 0 ? [index] : []));
}

export interface Ticks {
  at: number[];
  names: string[];
}

const ROOM = 76;

/** The ticks for a width, each width computed once. */
export function makeTicks(buckets: readonly Date[], interval: Interval, zone: string): (width: number) => Ticks {
  const known = new Map<number, Ticks>();
  return (width) => {
    const most = Math.max(2, Math.floor(width / ROOM));
    let found = known.get(most);
    if (found === undefined) {
      const at = pickTicks(buckets, interval, zone, most);
      found = { at, names: at.map((index) => bucketTick(buckets[index] ?? new Date(0), interval, zone)) };
      known.set(most, found);
    }
    return found;
  };
}
