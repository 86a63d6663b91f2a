import { ArrowDown, ArrowUp } from "lucide-react";
import { memo, useId, useMemo, useRef, useState, type ReactNode } from "react";
import { useCells } from "~/charts/useCells";
import { useSpan } from "~/charts/useSpan";
import { PeopleButton } from "~/ui/PeopleButton";
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
  /** Opens the people behind the number of a row, where there are some. */
  onPick?: ((row: Row) => (() => void) | undefined) | undefined;
}

interface DataTableProps<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  most?: number;
  /** The columns behind so many are alike. Where there are very many cells, only those in sight are laid out. */
  leading?: number;
}

interface Sorting {
  key: string;
  descending: boolean;
}

/** To lay more out takes longer than one wants to wait. */
const MOST_CELLS = 1_000;
/** How wide a letter of a label is, a figure, and what is beside them. */
const [LETTER_REM, FIGURE_REM, PADDING_REM] = [0.47, 0.52, 1.5];

/**
 * Numbers as a table, sorted by any column, and walked through with arrow keys. The first column stays in sight when
 * the others scroll.
 */
export function DataTable<Row>({ caption, columns, rows, rowKey, most = 100, leading = columns.length }: DataTableProps<Row>) {
  const table = useRef<HTMLTableElement>(null);
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const [all, setAll] = useState(false);
  const helpId = useId();
  const sorted = useMemo(() => {
    const column = columns.find((each) => each.key === sorting?.key);
    if (sorting === null || column === undefined) return rows;
    const sign = sorting.descending ? -1 : 1;
    return [...rows].sort((one, other) => sign * compareValues(column.value(one), column.value(other)));
  }, [columns, rows, sorting]);
  const shown = all ? sorted : sorted.slice(0, most);
  const alike = columns.length - leading;
  const isTooMany = alike > 0 && shown.length * columns.length > MOST_CELLS;
  const { from, to, reveal } = useSpan(table, leading, alike, isTooMany);
  const keys = useCells(table, columns.length, reveal);
  const [lead, seen] = useMemo(() => {
    const placed = columns.map((column, index): PlacedColumn<Row> => ({ ...column, index: isTooMany ? index + 1 : undefined }));
    return [placed.slice(0, leading), placed.slice(leading + from, leading + to)];
  }, [columns, leading, from, to, isTooMany]);
  const width = useMemo(() => (isTooMany ? widthOf(columns.slice(leading), rows) : 0), [isTooMany, columns, leading, rows]);
  const sortBy = (column: Column<Row>) => setSorting(nextSorting(sorting, column.key, column.numeric === true));
  return (
    <div>
      <div className="relative overflow-x-auto">
        <table ref={table} role="grid" aria-describedby={helpId} aria-colcount={isTooMany ? columns.length : undefined} className={cx("min-w-full border-collapse text-13 [&_:is(td,th,thead_button):focus-visible]:-outline-offset-2", isTooMany && "w-max")} {...keys}>
          <caption className="sr-only">{caption}</caption>
          {isTooMany ? (
            <colgroup>
              <col span={leading} />
              <col span={alike} style={{ width: `${width}rem` }} />
            </colgroup>
          ) : null}
          <thead>
            <tr className="border-b border-line">
              {lead.map((column, index) => (
                <Head key={column.key} column={column} sorting={sorting} onSort={() => sortBy(column)} className={index === 0 ? "sticky start-0 bg-surface" : ""} />
              ))}
              <Gap columns={from} />
              {seen.map((column) => (
                <Head key={column.key} column={column} sorting={sorting} onSort={() => sortBy(column)} />
              ))}
              <Gap columns={alike - to} />
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {shown.map((row) => (
              <TableRow key={rowKey(row)} row={row} lead={lead} seen={seen} before={from} after={alike - to} />
            ))}
          </tbody>
        </table>
      </div>
      <p id={helpId} className="sr-only">
        Arrow keys walk from cell to cell.{columns.some(({ onPick }) => onPick) ? " Enter shows who is behind a number." : ""}
      </p>
      {rows.length > shown.length ? (
        <button type="button" onClick={() => setAll(true)} className="h-9 w-full border-t border-line text-13 text-accent-text hover:bg-hover">
          Show all {rows.length} rows
        </button>
      ) : null}
    </div>
  );
}

/** With its place among all columns, from 1 on, where not all of them are there. */
type PlacedColumn<Row> = Column<Row> & { index: number | undefined };

interface HeadProps<Row> {
  column: PlacedColumn<Row>;
  sorting: Sorting | null;
  onSort: () => void;
  className?: string;
}

function Head<Row>({ column, sorting, onSort, className }: HeadProps<Row>) {
  const isDescending = sorting?.key === column.key ? sorting.descending : null;
  const Arrow = isDescending === true ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-colindex={column.index}
      aria-sort={isDescending === null ? "none" : isDescending ? "descending" : "ascending"}
      className={cx("p-0 text-12 font-medium text-soft", className)}
    >
      <button
        type="button"
        tabIndex={-1}
        title={column.title}
        onClick={onSort}
        className={cx("flex h-9 w-full items-center px-3 whitespace-nowrap hover:text-text", column.numeric && "justify-end")}
      >
        {column.label}
        {isDescending === null ? null : <Arrow className="-me-3 size-3" aria-hidden />}
      </button>
    </th>
  );
}

/** Stands for columns that are out of sight. */
function Gap({ columns }: { columns: number }) {
  return columns > 0 ? <td aria-hidden colSpan={columns} /> : null;
}

interface TableRowProps<Row> {
  row: Row;
  lead: readonly PlacedColumn<Row>[];
  seen: readonly PlacedColumn<Row>[];
  before: number;
  after: number;
}

/** One row. Sorting moves it without making it again. */
const TableRow = memo(function TableRow<Row>({ row, lead, seen, before, after }: TableRowProps<Row>) {
  const [first, ...others] = lead;
  const name = first ? contentOf(first, row) : null;
  return (
    <tr className="hover:bg-hover">
      <th
        scope="row"
        aria-colindex={first?.index}
        className="sticky start-0 h-9 max-w-72 truncate bg-surface px-3 text-start font-normal whitespace-nowrap"
        title={typeof name === "string" ? name : undefined}
      >
        <bdi>{name}</bdi>
      </th>
      {others.map((column) => cell(column, row))}
      <Gap columns={before} />
      {seen.map((column) => cell(column, row))}
      <Gap columns={after} />
    </tr>
  );
}) as <Row>(props: TableRowProps<Row>) => ReactNode;

function cell<Row>(column: PlacedColumn<Row>, row: Row) {
  return (
    <td key={column.key} aria-colindex={column.index} className={cx("h-9 px-3 whitespace-nowrap", column.numeric && "figure text-end")}>
      <PeopleButton onClick={column.onPick?.(row)} title={column.title} tabIndex={-1}>
        {contentOf(column, row)}
      </PeopleButton>
    </td>
  );
}

function contentOf<Row>(column: Column<Row>, row: Row): ReactNode {
  return column.show ? column.show(row) : column.value(row);
}

/** What every one of the columns has room in, in rem. */
function widthOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): number {
  const widths = columns.flatMap((column) => [column.label.length * LETTER_REM, ...rows.map((row) => lengthOf(contentOf(column, row)) * FIGURE_REM)]);
  return Math.max(...widths) + PADDING_REM;
}

function lengthOf(content: ReactNode): number {
  return typeof content === "string" || typeof content === "number" ? String(content).length : 0;
}

function nextSorting(now: Sorting | null, key: string, numeric: boolean): Sorting | null {
  if (now?.key !== key) return { key, descending: numeric };
  return now.descending === numeric ? { key, descending: !numeric } : null;
}

function compareValues(one: string | number | null, other: string | number | null): number {
  if (one === null || other === null) return one === other ? 0 : one === null ? -1 : 1;
  return typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
}
