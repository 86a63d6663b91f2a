import type { Schemas } from "~/api/client";
import { eventLabel } from "~/features/insights/words";
import { bucketRange, type Behind } from "~/features/people/behind";
import { bucketName } from "~/format/times";

/** Who began in a cohort's period. */
export function peopleBehindCohort(query: Schemas["RetentionQuery"], answer: Schemas["RetentionAnswer"], index: number): Behind {
  const dates = answer.cohorts.map(({ date }) => date);
  return {
    title: `${eventLabel(query.start?.event)}, ${bucketName(new Date(dates[index] ?? 0), answer.period, answer.timezone)}`,
    note:
      query.mode === "first_time"
        ? "Everybody with a profile who did this then, also those for whom it was not the first time. Who came back is not told here."
        : "Everybody with a profile who began then. Who of them came back is not told here.",
    event: query.start?.event ?? null,
    filters: [...(query.filters ?? []), ...(query.start?.filters ?? [])],
    ...bucketRange(dates, index, query.date_to),
  };
}
