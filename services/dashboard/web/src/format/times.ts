/** Moments as people in a project's time zone read them. */
import type { Interval } from "~/features/insights/document";

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, options: Intl.DateTimeFormatOptions, locale?: string): Intl.DateTimeFormat {
  const key = JSON.stringify([zone, options, locale]);
  let made = formats.get(key);
  if (made === undefined) {
    made = new Intl.DateTimeFormat(locale, { timeZone: zone, ...options });
    formats.set(key, made);
  }
  return made;
}

/** ClickHouse's times have no zone of their own and are UTC. */
export function parseTime(text: string): Date {
  const iso = text.includes("T") ? text : text.replace(" ", "T");
  return new Date(/[zZ]|[+-]\d\d:?\d\d$/.test(iso) ? iso : `${iso}Z`);
}

export function dateTime(moment: Date, zone: string, locale?: string): string {
  return format(zone, { dateStyle: "medium", timeStyle: "medium" }, locale).format(moment);
}

export function clockTime(moment: Date, zone: string, locale?: string): string {
  return format(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }, locale).format(moment);
}

/** A day and the minute, without the year. */
export function shortTime(moment: Date, zone: string, locale?: string): string {
  return format(zone, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }, locale).format(moment);
}

export function day(moment: Date, zone: string, locale?: string): string {
  return format(zone, { day: "numeric", month: "short", year: "numeric" }, locale).format(moment);
}

/** A bucket's name: in full where one points at it, short on the axis. */
export function bucketName(moment: Date, interval: Interval, zone: string, locale?: string): string {
  switch (interval) {
    case "minute":
    case "hour":
      return format(zone, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }, locale).format(moment);
    case "day":
      return format(zone, { weekday: "short", day: "numeric", month: "short", year: "numeric" }, locale).format(moment);
    case "week":
      return `Week of ${day(moment, zone, locale)}`;
    case "month":
      return format(zone, { month: "long", year: "numeric" }, locale).format(moment);
  }
}

export function bucketTick(moment: Date, interval: Interval, zone: string, locale?: string): string {
  switch (interval) {
    case "minute":
    case "hour": {
      const clock = format(zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, locale).format(moment);
      return clock === "00:00" ? format(zone, { day: "numeric", month: "short" }, locale).format(moment) : clock;
    }
    case "day":
    case "week":
      return format(zone, { day: "numeric", month: "short" }, locale).format(moment);
    case "month":
      return format(zone, { month: "short", year: "2-digit" }, locale).format(moment);
  }
}

const AGES = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** How long ago: “5 minutes ago”. */
export function ago(moment: Date, now: Date, locale?: string): string {
  const seconds = Math.max(0, (now.getTime() - moment.getTime()) / 1000);
  const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  for (const [unit, size] of AGES) if (seconds >= size) return words.format(-Math.floor(seconds / size), unit);
  return seconds < 5 ? "just now" : words.format(-Math.floor(seconds), "second");
}
