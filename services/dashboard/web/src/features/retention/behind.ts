import type { Schemas } from "~/api/client";
import type { Behind } from "~/features/people/behind";
import { bucketName } from "~/format/times";

/** Who of a cohort came back in a period; in the first, who began. */
export function behindCell(answer: Schemas["RetentionAnswer"], { date }: Schemas["Cohort"], period: number): Behind {
  const cohort = bucketName(new Date(date), answer.period, answer.timezone);
  return { title: period === 0 ? `Began: ${cohort}` : `${cohort}, ${answer.period} ${period}`, point: { date, period } };
}
