import { useMemo } from "react";
import type { Schemas } from "~/api/client";
import { DataTable, type Column } from "~/charts/DataTable";
import { TimeChart } from "~/charts/TimeChart";
import { shapeLifecycle, STATUSES } from "~/features/lifecycle/document";
import { isStillOpen } from "~/features/trends/shape";
import { exact } from "~/format/numbers";
import { bucketName } from "~/format/times";

export type LifecycleAnswer = Schemas["LifecycleAnswer"];

interface LifecycleViewProps {
  answer: LifecycleAnswer;
  label: string;
  height?: number;
  small?: boolean;
  onPick?: (index: number) => void;
}

export function LifecycleView({ answer, label, height, small, onPick }: LifecycleViewProps) {
  const series = useMemo(() => shapeLifecycle(answer), [answer]);
  const buckets = useMemo(() => answer.buckets.map((text) => new Date(text)), [answer]);
  return (
    <TimeChart
      kind="bar"
      buckets={buckets}
      interval={answer.interval}
      zone={answer.timezone}
      series={series}
      isOpen={isStillOpen(buckets, answer.interval, new Date())}
      label={label}
      {...(height === undefined ? {} : { height })}
      {...(small === undefined ? {} : { small })}
      {...(onPick === undefined ? {} : { onPick })}
    />
  );
}

interface Row {
  bucket: Date;
  index: number;
}

export function LifecycleTable({ answer, label }: { answer: LifecycleAnswer; label: string }) {
  const rows = answer.buckets.map((text, index): Row => ({ bucket: new Date(text), index }));
  const columns: Column<Row>[] = [
    {
      key: "bucket",
      label: "Interval",
      value: (row) => row.bucket.getTime(),
      show: (row) => bucketName(row.bucket, answer.interval, answer.timezone),
    },
    ...STATUSES.map(({ key, label: name }) => ({
      key,
      label: name,
      numeric: true,
      value: (row: Row) => answer[key][row.index] ?? 0,
      show: (row: Row) => exact(answer[key][row.index] ?? 0),
    })),
  ];
  return <DataTable caption={`${label} Numbers as a table`} columns={columns} rows={rows} rowKey={(row) => String(row.index)} />;
}
