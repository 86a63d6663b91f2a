import { useMemo } from "react";
import { DataTable, type Column } from "~/charts/DataTable";
import { TimeChart } from "~/charts/TimeChart";
import type { ChartKind } from "~/features/trends/document";
import { shapeTrends, type ShownSeries, type TrendsAnswer } from "~/features/trends/shape";
import { change, compact, exact } from "~/format/numbers";
import { bucketName, bucketTick } from "~/format/times";

interface TrendsViewProps {
  answer: TrendsAnswer;
  chart: ChartKind;
  label: string;
  height?: number;
  small?: boolean;
  onPick?: (index: number, key: string | null) => void;
}

/** A trend's answer as somebody wants to see it. */
export function TrendsView({ answer, chart, label, height, small, onPick }: TrendsViewProps) {
  const series = useMemo(() => shapeTrends(answer), [answer]);
  if (chart === "number") return <Numbers series={series} small={small === true} />;
  if (chart === "table") return <TrendsTable answer={answer} label={label} />;
  return (
    <TimeChart
      kind={chart}
      over={answer}
      series={series}
      label={label}
      height={height}
      small={small}
      onPick={onPick}
    />
  );
}

function Numbers({ series, small }: { series: readonly ShownSeries[]; small: boolean }) {
  const now = series.filter((each) => !each.pale);
  const before = series.filter((each) => each.pale);
  return (
    <dl className={small ? "flex flex-wrap gap-x-8 gap-y-3" : "flex min-h-80 flex-wrap content-center justify-center gap-x-14 gap-y-8"}>
      {now.map((each, index) => {
        const old = before[index];
        const changed = old === undefined ? null : change(each.total, old.total);
        return (
          <div key={each.key} className={small ? "" : "text-center"}>
            <dt className="max-w-64 truncate text-13 text-soft" dir="auto">
              {each.label}
            </dt>
            <dd className="figure text-28 font-bold" title={exact(each.total)} data-testid="number">
              {compact(each.total)}
            </dd>
            {changed === null ? null : <dd className="figure text-13 text-soft">{changed} from before</dd>}
          </div>
        );
      })}
    </dl>
  );
}

/** The same numbers as the chart's, and its form for whoever cannot see it. */
export function TrendsTable({ answer, label }: { answer: TrendsAnswer; label: string }) {
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
      { key: "total", label: "Whole range", numeric: true, value: (row) => row.total, show: (row) => <strong className="font-medium">{exact(row.total)}</strong> },
      ...buckets.map((bucket, index) => ({
        key: `${bucket.getTime()}`,
        label: bucketTick(bucket, answer.interval, answer.timezone),
        title: bucketName(bucket, answer.interval, answer.timezone),
        numeric: true,
        value: (row: ShownSeries) => row.data[index] ?? 0,
        show: (row: ShownSeries) => exact(row.data[index] ?? 0),
      })),
    ];
  }, [answer]);
  return <DataTable caption={`${label} Numbers as a table`} columns={columns} rows={series} rowKey={(row) => row.key} most={50} />;
}
