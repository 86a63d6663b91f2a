import type { Schemas } from "~/api/client";

type Answer = Pick<Schemas["RetentionAnswer"], "cohorts" | "period">;
type Cohort = Schemas["Cohort"];

const LENGTH_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000, month: 2_629_800_000 } as const;

/** The index of the first period of a cohort that is not over at `now`. */
export function openFrom(cohort: Pick<Cohort, "date">, period: keyof typeof LENGTH_MS, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - new Date(cohort.date).getTime()) / LENGTH_MS[period]));
}

/** The share of all people who came back after 0, 1, 2 … periods, over cohorts whose period is over. */
export function overall(answer: Answer, now: Date): (number | null)[] {
  const columns = Math.max(0, ...answer.cohorts.map((cohort) => cohort.values.length));
  return Array.from({ length: columns }, (_, index) => {
    let size = 0;
    let back = 0;
    for (const cohort of answer.cohorts) {
      const value = cohort.values[index];
      if (value === undefined || (index > 0 && index >= openFrom(cohort, answer.period, now))) continue;
      size += cohort.size;
      back += value;
    }
    return size === 0 ? null : back / size;
  });
}
