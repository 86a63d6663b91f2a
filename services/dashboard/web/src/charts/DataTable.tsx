import { ArrowDown, ArrowUp } from "lucide-react";
import { memo, useMemo, useState, type ReactNode } from "react";
import { cx } from "~/ui/cx";

export interface Column<Row> {
  key: string;
  label: string;
  /** The label in full, where it is short. */
  title?: string;
  /** What the column is sorted by; it is shown as it is unless `show` says otherwise. */
  value: (row: Row) => string | number | null;
  show?: (row: Row) => ReactNode;
  numeric?: boolean;
}

interface DataTableProps<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  most?: number;
}

interface Sorting {
  key: string;
  descending: boolean;
}

/** Numbers as a table, sorted by any column. The first column stays in sight when the others scroll. */
export function DataTable<Row>({ caption, columns, rows, rowKey, most = 100 }: DataTableProps<Row>) {
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const [all, setAll] = useState(false);
  const sorted = useMemo(() => {
    const column = columns.find((each) => each.key === sorting?.key);
    if (sorting === null || column === undefined) return rows;
    const sign = sorting.descending ? -1 : 1;
    return [...rows].sort((one, other) => sign * compareValues(column.value(one), column.value(other)));
  }, [columns, rows, sorting]);
  const shown = all ? sorted : sorted.slice(0, most);
  return (
    <div>
      <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={caption}>
        <table className="w-full border-collapse text-13">
          <caption className="sr-only">{caption}</caption>
          <thead>
            <tr className="border-b border-line">
              {columns.map((column, index) => {
                const active = sorting?.key === column.key ? sorting : null;
                return (
                  <th
                    key={column.key}
                    scope="col"
                    aria-sort={active ? (active.descending ? "descending" : "ascending") : "none"}
                    className={cx("p-0 text-12 font-medium text-soft", index === 0 && "sticky start-0 bg-surface")}
                  >
                    <button
                      type="button"
                      title={column.title}
                      onClick={() => setSorting(nextSorting(sorting, column.key, column.numeric === true))}
                      className={cx("flex h-9 w-full items-center gap-1 px-3 whitespace-nowrap hover:text-text", column.numeric && "justify-end")}
                    >
                      {column.label}
                      {active ? active.descending ? <ArrowDown className="size-3" aria-hidden /> : <ArrowUp className="size-3" aria-hidden /> : null}
                    </button>
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {shown.map((row) => (
              <TableRow key={rowKey(row)} row={row} columns={columns} />
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > shown.length ? (
        <button type="button" onClick={() => setAll(true)} className="h-9 w-full border-t border-line text-13 text-accent-text hover:bg-hover">
          Show all {rows.length} rows
        </button>
      ) : null}
    </div>
  );
}

/** One row. Sorting moves it without making it again. */
const TableRow = memo(function TableRow<Row>({ row, columns }: { row: Row; columns: readonly Column<Row>[] }) {
  return (
    <tr className="hover:bg-hover">
      {columns.map((column, index) => {
        const content = column.show ? column.show(row) : column.value(row);
        const cellClass = cx("h-9 px-3 whitespace-nowrap", column.numeric && "figure text-end");
        return index === 0 ? (
          <th
            key={column.key}
            scope="row"
            className={cx(cellClass, "sticky start-0 max-w-72 truncate bg-surface text-start font-normal")}
            title={typeof content === "string" ? content : undefined}
          >
            <bdi>{content}</bdi>
          </th>
        ) : (
          <td key={column.key} className={cellClass}>
            {content}
          </td>
        );
      })}
    </tr>
  );
}) as <Row>(props: { row: Row; columns: readonly Column<Row>[] }) => ReactNode;

function nextSorting(now: Sorting | null, key: string, numeric: boolean): Sorting | null {
  if (now?.key !== key) return { key, descending: numeric };
  return now.descending === numeric ? { key, descending: !numeric } : null;
}

function compareValues(one: string | number | null, other: string | number | null): number {
  if (one === null || other === null) return one === other ? 0 : one === null ? -1 : 1;
  return typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
}
