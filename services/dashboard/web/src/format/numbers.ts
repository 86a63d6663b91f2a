/** Numbers as people read them. `locale` is the reader's; tests give one. */
const NONE = "–";
const formats = new Map<string, Intl.NumberFormat>();

/** Made once: a table of 25 series over 90 days asks for thousands. */
function format(value: number, options: Intl.NumberFormatOptions, locale?: string): string {
  const key = JSON.stringify([options, locale]);
  let made = formats.get(key);
  if (made === undefined) {
    made = new Intl.NumberFormat(locale, options);
    formats.set(key, made);
  }
  return made.format(value);
}

/** From 10,000 on shortened (12.3K); the exact number belongs where one points at it. */
export function compact(value: number | null | undefined, locale?: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  if (Math.abs(value) < 10_000) return exact(value, locale);
  return format(value, { notation: "compact", maximumFractionDigits: 1 }, locale);
}

/** All digits before the point, at most two behind. */
export function exact(value: number | null | undefined, locale?: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  return format(value, { maximumFractionDigits: 2 }, locale);
}

/** As many of something: 1 person, 2,300 people. */
export function counted(count: number | null | undefined, one: string, many = `${one}s`): string {
  return `${exact(count)} ${count === 1 ? one : many}`;
}

/** A share from 0 to 1 with one decimal. */
export function percent(share: number | null | undefined, locale?: string): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return NONE;
  return format(share, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }, locale);
}

/** The change from `before` to `now` as a signed percentage; null where there is nothing to compare with. */
export function change(now: number, before: number, locale?: string): string | null {
  if (before === 0) return null;
  return format(now / before - 1, { style: "percent", signDisplay: "exceptZero", maximumFractionDigits: 1 }, locale);
}

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** Seconds in words, in the two largest units: 3 min 20 s. */
export function duration(seconds: number | null | undefined, locale?: string): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NONE;
  if (seconds < 0.0005) return "0 s";
  if (seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 10) return `${format(seconds, { maximumFractionDigits: 1 }, locale)} s`;
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0 || parts.length > 0) parts.push(count > 0 ? `${count} ${unit}` : "");
    rest -= count * size;
    if (parts.length === 2) break;
  }
  return parts.filter(Boolean).join(" ");
}
