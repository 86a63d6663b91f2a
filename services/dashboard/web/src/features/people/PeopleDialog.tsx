import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useProject } from "~/api/account";
import { peopleBehindOptions } from "~/features/people/api";
import type { Behind } from "~/features/people/behind";
import { personName } from "~/features/people/names";
import { exact } from "~/format/numbers";
import { parseTime, shortTime } from "~/format/times";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { Select } from "~/ui/Select";
import { Empty, Failure, SkeletonRows } from "~/ui/states";

/** The people behind a point of a chart, with the way to each; where several series meet there, one can be chosen. */
export function PeopleDialog({ lists, onClose }: { lists: readonly Behind[]; onClose: () => void }) {
  const project = useProject();
  const [chosen, setChosen] = useState("0");
  const list = lists[Number(chosen)] ?? lists[0];
  const people = useInfiniteQuery({ ...peopleBehindOptions(project.id, list), enabled: list !== undefined });
  if (list === undefined) return null;
  const rows = people.data?.pages.flatMap((page) => page.results) ?? [];
  return (
    <Dialog open wide onClose={onClose} title="People" description={list.note ?? "Everybody with a profile who did this, whoever did it last first."}>
      {lists.length > 1 ? (
        <Select
          label="Series"
          value={chosen}
          options={lists.map(({ title }, index) => ({ value: String(index), label: title }))}
          onChange={setChosen}
          className="mb-3 max-w-full"
        />
      ) : (
        <p className="mb-3 font-medium" dir="auto">
          {list.title}
        </p>
      )}
      <div className="-mx-5 min-h-60 border-t border-line" data-testid="people-behind">
        {people.isPending ? (
          <SkeletonRows />
        ) : people.isError ? (
          <Failure error={people.error} onRetry={() => void people.refetch()} />
        ) : rows.length === 0 ? (
          <Empty title="Nobody">No person with a profile did this here.</Empty>
        ) : (
          <ul className="divide-y divide-line">
            {rows.map((person) => (
              <li key={person.person_id} className="relative flex items-baseline gap-4 px-5 py-2 hover:bg-hover">
                <Link
                  to="/p/$projectId/people/$distinctId"
                  params={{ projectId: String(project.id), distinctId: person.distinct_ids[0] ?? person.person_id }}
                  className="min-w-0 flex-1 truncate font-medium after:absolute after:inset-0"
                  dir="auto"
                >
                  {personName(person)}
                </Link>
                <span className="figure text-13 text-soft">{person.events === 1 ? "once" : `${exact(person.events)} times`}</span>
                <span className="figure w-28 text-end text-13 text-soft">
                  {person.last_seen ? shortTime(parseTime(person.last_seen), project.timezone) : ""}
                </span>
              </li>
            ))}
          </ul>
        )}
        {people.hasNextPage ? (
          <div className="border-t border-line p-2 text-center">
            <Button kind="quiet" disabled={people.isFetchingNextPage} onClick={() => void people.fetchNextPage()}>
              {people.isFetchingNextPage ? "Loading…" : "Show more"}
            </Button>
          </div>
        ) : null}
      </div>
    </Dialog>
  );
}
