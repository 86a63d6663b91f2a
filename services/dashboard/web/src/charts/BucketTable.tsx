import type { Bucketed } from "~/charts/buckets";
import { DataTable } from "~/charts/DataTable";
import { exact } from "~/format/numbers";
import { bucketName } from "~/format/times";

interface Numbers {
  key: string;
  label: string;
  /** One for each bucket. */
  data: readonly number[];
  show?: (value: number) => string;
  /** Opens the people behind the number of a bucket. */
  onPick?: (index: number) => void;
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
        ...columns.map(({ key, label, data, show = exact, onPick }) => ({
          key,
          label,
          numeric: true,
          value: (row: Row) => data[row.index] ?? 0,
          show: (row: Row) => show(data[row.index] ?? 0),
          onPick: onPick && ((row: Row) => (data[row.index] ? () => onPick(row.index) : undefined)),
        })),
      ]}
      rows={rows}
      rowKey={(row) => String(row.index)}
    />
  );
}
