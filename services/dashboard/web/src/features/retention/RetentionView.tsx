import { useRef } from "react";
import type { Schemas } from "~/api/client";
import { useCells } from "~/charts/useCells";
import type { OnPeople } from "~/features/people/behind";
import { behindCell } from "~/features/retention/behind";
import { openFrom, overall } from "~/features/retention/shape";
import { exact, percent } from "~/format/numbers";
import { capitalised } from "~/format/text";
import { bucketName } from "~/format/times";
import { cx } from "~/ui/cx";
import { PeopleButton } from "~/ui/PeopleButton";

export type RetentionAnswer = Schemas["RetentionAnswer"];

const SHORT = { minute: "min", hour: "h", day: "day", week: "week", month: "month" } as const;

interface RetentionViewProps {
  answer: RetentionAnswer;
  label: string;
  small?: boolean;
  onPeople: OnPeople;
}

/** A heat map in one hue: figures in the cells, the cohort's size first, cells that are not over yet hatched. */
export function RetentionView({ answer, label, small, onPeople }: RetentionViewProps) {
  const columns = Math.max(0, ...answer.cohorts.map((cohort) => cohort.values.length));
  const now = new Date();
  const table = useRef<HTMLTableElement>(null);
  const keys = useCells(table, columns + 2);
  return (
    <div className="relative overflow-x-auto" data-testid="retention">
      <table ref={table} role="grid" className="w-full border-separate border-spacing-0.5 text-13" {...keys}>
        <caption className="sr-only">{label}</caption>
        <thead className="text-12 text-soft">
          <tr>
            <th scope="col" className="sticky start-0 bg-surface px-2 py-1 text-start font-medium">
              {answer.period === "week" ? "Week of" : capitalised(answer.period)}
            </th>
            <th scope="col" className="px-2 py-1 text-end font-medium">
              People
            </th>
            {Array.from({ length: columns }, (_, index) => (
              <th key={index} scope="col" className="px-2 py-1 text-center font-medium whitespace-nowrap">
                <span className={small ? "sr-only" : ""}>{SHORT[answer.period]} </span>
                {index}
              </th>
            ))}
          </tr>
          <tr className="text-text">
            <th scope="row" className="sticky start-0 bg-surface px-2 text-start font-bold">
              All
            </th>
            <td className="figure px-2 text-end font-bold">{exact(answer.cohorts.reduce((sum, cohort) => sum + cohort.size, 0))}</td>
            {overall(answer, now).map((share, index) => (
              <td key={index} className="figure h-8 px-2 text-center font-bold">
                {percent(share)}
              </td>
            ))}
          </tr>
        </thead>
        <tbody>
          {answer.cohorts.map((cohort) => {
            const open = openFrom(cohort, answer.period, now);
            const look = (period: number) => (cohort.values[period] ? () => onPeople([behindCell(answer, cohort, period)]) : undefined);
            return (
              <tr key={cohort.date}>
                <th scope="row" className="sticky start-0 bg-surface px-2 text-start font-normal whitespace-nowrap">
                  {bucketName(new Date(cohort.date), answer.period, answer.timezone).replace(/^Week of /, "")}
                </th>
                <td className="figure px-2 text-end">
                  <PeopleButton onClick={look(0)} className="text-accent-text" tabIndex={-1}>
                    {exact(cohort.size)}
                  </PeopleButton>
                </td>
                {Array.from({ length: columns }, (_, index) => {
                  const value = cohort.values[index];
                  // What lies ahead has no share yet.
                  if (value === undefined || index > open) return <td key={index} />;
                  const share = cohort.size === 0 ? 0 : value / cohort.size;
                  const title = `${exact(value)} of ${exact(cohort.size)}${index >= open ? ", not over yet" : ""}`;
                  return (
                    <td
                      key={index}
                      title={title}
                      className={cx("figure h-8 min-w-14 rounded-[3px] text-center", index >= open && "hatched", share > 0.55 && "text-on-accent")}
                      style={{ backgroundColor: cohort.size === 0 ? "var(--sunken)" : `color-mix(in oklab, var(--accent) ${Math.round(4 + share * 92)}%, var(--surface))` }}
                    >
                      <PeopleButton onClick={look(index)} title={title} className="size-full min-h-8 px-2" tabIndex={-1}>
                        {cohort.size === 0 ? "–" : percent(share)}
                      </PeopleButton>
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
