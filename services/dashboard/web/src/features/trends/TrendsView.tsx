import { useMemo } from "react";
import { DataTable, type Column } from "~/charts/DataTable";
import { TimeChart } from "~/charts/TimeChart";
import type { ChartKind } from "~/features/trends/document";
import type { OnPeople } from "~/features/people/behind";
import { PeopleButton } from "~/ui/PeopleButton";
import { behindTrend } from "~/features/trends/behind";
import { shapeTrends, type ShownSeries, type TrendsAnswer } from "~/features/trends/shape";
import { change, compact, exact } from "~/format/numbers";
import { bucketName, bucketTick } from "~/format/times";

interface TrendsViewProps {
  answer: TrendsAnswer;
  chart: ChartKind;
  label: string;
  height?: number;
  small?: boolean;
  onPeople?: OnPeople | undefined;
}

/** A trend's answer as somebody wants to see it. */
export function TrendsView({ answer, chart, label, height, small, onPeople }: TrendsViewProps) {
  const series = useMemo(() => shapeTrends(answer), [answer]);
  if (chart === "number") return <Numbers answer={answer} small={small === true} onPeople={onPeople} />;
  if (chart === "table") return <TrendsTable answer={answer} label={label} onPeople={onPeople} />;
  return (
    <TimeChart
      kind={chart}
      over={answer}
      series={series}
      label={label}
      height={height}
      small={small}
      onPick={onPeople && ((index, key) => onPeople(behindTrend(answer, index, key)))}
    />
  );
}

/** Opens the people behind a number, where there are some. */
function look(answer: TrendsAnswer, onPeople: OnPeople | undefined, bucket: number | null, { key, data, total }: ShownSeries) {
  const number = bucket === null ? total : data[bucket];
  return onPeople === undefined || !number ? undefined : () => onPeople(behindTrend(answer, bucket, key));
}

function Numbers({ answer, small, onPeople }: { answer: TrendsAnswer; small: boolean; onPeople: OnPeople | undefined }) {
  const series = shapeTrends(answer);
  const now = series.filter((each) => !each.pale);
  const before = series.filter((each) => each.pale);
  return (
    <dl className={small ? "flex flex-wrap gap-x-8 gap-y-3" : "flex min-h-40 flex-wrap sm:min-h-80 content-center justify-center gap-x-14 gap-y-8"}>
      {now.map((each, index) => {
        const old = before[index];
        const changed = old === undefined ? null : change(each.total, old.total);
        return (
          <div key={each.key} className={small ? "" : "text-center"}>
            <dt className="max-w-64 truncate text-13 text-soft" dir="auto">
              {each.label}
            </dt>
            <dd className="figure text-28 font-bold" title={exact(each.total)} data-testid="number">
              <PeopleButton onClick={look(answer, onPeople, null, each)} title={`Who they are: ${exact(each.total)}`}>
                {compact(each.total)}
              </PeopleButton>
            </dd>
            {changed === null ? null : <dd className="figure text-13 text-soft">{changed} from before</dd>}
          </div>
        );
      })}
    </dl>
  );
}

/** The same numbers as the chart's, and its form for whoever cannot see it. */
export function TrendsTable({ answer, label, onPeople }: { answer: TrendsAnswer; label: string; onPeople?: OnPeople | undefined }) {
  const series = useMemo(() => shapeTrends(answer), [answer]);
  const columns = useMemo<Column<ShownSeries>[]>(() => {
    const buckets = answer.buckets.map((text) => new Date(text));
    return [
      {
        key: "name",
        label: "Series",
        value: (row) => row.label,
        show: (row) => (
          <span className="flex items-center gap-2" title={row.label}>
            <span aria-hidden className={`series-dot ${row.pale ? "opacity-50" : ""}`} style={{ background: row.colour }} />
            <bdi className="truncate">{row.label}</bdi>
          </span>
        ),
      },
      {
        key: "total",
        label: "Whole range",
        numeric: true,
        value: (row) => row.total,
        show: (row) => <strong className="font-medium">{exact(row.total)}</strong>,
        onPick: onPeople && ((row) => look(answer, onPeople, null, row)),
      },
      ...buckets.map((bucket, index) => ({
        key: `${bucket.getTime()}`,
        label: bucketTick(bucket, answer.interval, answer.timezone),
        title: bucketName(bucket, answer.interval, answer.timezone),
        numeric: true,
        value: (row: ShownSeries) => row.data[index] ?? 0,
        show: (row: ShownSeries) => exact(row.data[index] ?? 0),
        onPick: onPeople && ((row: ShownSeries) => look(answer, onPeople, index, row)),
      })),
    ];
  }, [answer, onPeople]);
  return <DataTable caption={`${label} Numbers as a table`} columns={columns} rows={series} rowKey={(row) => row.key} most={50} leading={2} />;
}
