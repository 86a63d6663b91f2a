import type { ReactNode } from "react";
import type { Bucketed } from "~/charts/buckets";
import { DataTable } from "~/charts/DataTable";
import { exact } from "~/format/numbers";
import { bucketName } from "~/format/times";

interface Numbers {
  key: string;
  label: string;
  /** One for each bucket. */
  data: readonly number[];
  show?: (value: number, index: number) => ReactNode;
}

/** Numbers over time, one row a bucket. */
export function BucketTable({ over, columns, label }: { over: Bucketed; columns: readonly Numbers[]; label: string }) {
  const rows = over.buckets.map((text, index) => ({ bucket: new Date(text), index }));
  type Row = (typeof rows)[number];
  return (
    <DataTable
      caption={`${label} Numbers as a table`}
      columns={[
        { key: "bucket", label: "Interval", value: (row: Row) => row.bucket.getTime(), show: (row: Row) => bucketName(row.bucket, over.interval, over.timezone) },
        ...columns.map(({ key, label, data, show = (count: number) => exact(count) }) => ({
          key,
          label,
          numeric: true,
          value: (row: Row) => data[row.index] ?? 0,
          show: (row: Row) => show(data[row.index] ?? 0, row.index),
        })),
      ]}
      rows={rows}
      rowKey={(row) => String(row.index)}
    />
  );
}
