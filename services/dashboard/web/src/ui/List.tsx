import type { ReactNode } from "react";
import { counted } from "~/format/numbers";
import { Button } from "~/ui/Button";
import { cx } from "~/ui/cx";
import { inputClass } from "~/ui/Field";
import { Panel } from "~/ui/Page";
import { Empty, Failure, SkeletonRows } from "~/ui/states";

interface SearchedListProps {
  search: { label: string; placeholder: string; value: string; onChange: (typed: string) => void };
  /** What stands between the search and the list. */
  note?: ReactNode;
  query: { isPending: boolean; isError: boolean; error: unknown; refetch: () => unknown };
  /** What is listed, one and several of it. */
  what: readonly [one: string, many: string];
  found: number;
  /** There are more than were found so far. */
  hasMore?: boolean;
  /** The text that is searched for now, "" without. */
  wanted: string;
  /** Instead of a list, while there is nothing at all. */
  empty: ReactNode;
  /** Why nothing has the text that is searched for. */
  unmatched: ReactNode;
  children: ReactNode;
}

/** A list that can be searched, in all its states. How much was found is also said. */
export function SearchedList({ search, note, query, what: [one, many], found, hasMore, wanted, empty, unmatched, children }: SearchedListProps) {
  const isThere = !query.isPending && !query.isError;
  return (
    <>
      <input
        type="search"
        aria-label={search.label}
        placeholder={search.placeholder}
        value={search.value}
        onChange={(event) => search.onChange(event.target.value)}
        className={cx(inputClass, "mb-3 max-w-md")}
      />
      {note}
      <p role="status" className="sr-only">
        {isThere && wanted ? `${counted(found, one, many)}${hasMore ? " and more" : ""} found` : ""}
      </p>
      <Panel className="overflow-hidden">
        {query.isPending ? (
          <SkeletonRows rows={10} />
        ) : query.isError ? (
          <Failure error={query.error} onRetry={() => void query.refetch()} />
        ) : found > 0 ? (
          children
        ) : wanted ? (
          <Empty title={`No ${one} matches`} action={<Button onClick={() => search.onChange("")}>Show all {many}</Button>}>
            {unmatched}
          </Empty>
        ) : (
          empty
        )}
      </Panel>
    </>
  );
}

interface ListTableProps {
  caption: string;
  columns: readonly { label: string; className: string }[];
  /** Its rows. */
  children: ReactNode;
}

export function ListTable({ caption, columns, children }: ListTableProps) {
  return (
    <table className="w-full table-fixed border-collapse">
      <caption className="sr-only">{caption}</caption>
      <thead className="border-b border-line text-12 text-soft">
        <tr>
          {columns.map(({ label, className }) => (
            <th key={label} scope="col" className={cx("py-2 font-medium", className)}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="divide-y divide-line">{children}</tbody>
    </table>
  );
}

interface MoreProps {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
  label?: string;
}

/** The way to the next page of a list, where there is one. */
export function More({ query, label = "Show more" }: MoreProps) {
  if (!query.hasNextPage) return null;
  return (
    <div className="border-t border-line p-2 text-center">
      <Button kind="quiet" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
        {query.isFetchingNextPage ? "Loading…" : label}
      </Button>
    </div>
  );
}
