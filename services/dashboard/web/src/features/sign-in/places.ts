import type { Choice } from "~/ui/Picker";

export const TIMEZONES: readonly Choice[] = ["UTC", ...Intl.supportedValuesOf("timeZone")].map((zone) => ({
  value: zone,
  label: zone.replaceAll("_", " "),
}));

/** The day a week begins on where a language is spoken; Monday where nothing is known. */
export function weekStartOf(language: string): "monday" | "sunday" {
  try {
    const locale = new Intl.Locale(language).maximize() as Intl.Locale & { getWeekInfo?: () => { firstDay: number } };
    return locale.getWeekInfo?.().firstDay === 7 ? "sunday" : "monday";
  } catch {
    return "monday";
  }
}
