import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { useState } from "react";
import { useProject } from "~/api/account";
import { asProblem } from "~/api/problem";
import type { Kind, Questions } from "~/features/insights/ask";
import { downloadPeople, peopleBehindOptions } from "~/features/people/api";
import type { Behind } from "~/features/people/behind";
import { personName } from "~/features/people/names";
import { counted } from "~/format/numbers";
import { parseTime, shortTime } from "~/format/times";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { More } from "~/ui/List";
import { Select } from "~/ui/Select";
import { Empty, Failure, SkeletonRows } from "~/ui/states";
import { tell } from "~/ui/toast";

interface PeopleDialogProps {
  kind: Kind;
  query: Questions[Kind];
  lists: readonly [Behind, ...Behind[]];
  onClose: () => void;
}

/** The people behind a point of an answer, with the way to each; where several lines meet there, one can be chosen. */
export function PeopleDialog({ kind, query, lists, onClose }: PeopleDialogProps) {
  const project = useProject();
  const [chosen, setChosen] = useState("0");
  const [isSaving, setSaving] = useState(false);
  const list = lists[Number(chosen)] ?? lists[0];
  const people = useInfiniteQuery(peopleBehindOptions(project.id, { kind, query }, list));
  const save = () => {
    setSaving(true);
    downloadPeople(project.id, { kind, query }, list)
      .catch((error: unknown) => tell(asProblem(error).detail))
      .finally(() => setSaving(false));
  };
  const rows = people.data?.pages.flatMap((page) => page.results) ?? [];
  return (
    <Dialog open wide onClose={onClose} title="People" description="Everybody behind this number; whoever was seen in it last comes first.">
      <div className="mb-3 flex flex-wrap items-center gap-2">
        {lists.length > 1 ? (
          <Select label="Who" value={chosen} options={lists.map(({ title }, index) => ({ value: String(index), label: title }))} onChange={setChosen} className="max-w-full" />
        ) : (
          <p className="min-w-0 font-medium" dir="auto">
            {list.title}
          </p>
        )}
        <Button kind="quiet" className="ms-auto shrink-0" disabled={isSaving || rows.length === 0} onClick={save}>
          <Download aria-hidden />
          {isSaving ? "Fetching…" : "CSV"}
        </Button>
      </div>
      <p role="status" className="sr-only">
        {people.isSuccess ? `${counted(rows.length, "person", "people")}${people.hasNextPage ? " and more" : ""}` : ""}
      </p>
      <div className="-mx-5 min-h-60 border-t border-line" data-testid="people-behind">
        {people.isPending ? (
          <SkeletonRows />
        ) : people.isError ? (
          <Failure error={people.error} onRetry={() => void people.refetch()} />
        ) : rows.length === 0 ? (
          <Empty title="Nobody">This number counts no people.</Empty>
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
                <span className="figure text-13 whitespace-nowrap text-soft">{counted(person.events, "event")}</span>
                <span className="figure min-w-28 text-end text-13 whitespace-nowrap text-soft sm:min-w-36">
                  {person.last_seen ? shortTime(parseTime(person.last_seen), project.timezone) : ""}
                </span>
              </li>
            ))}
          </ul>
        )}
        <More query={people} />
      </div>
    </Dialog>
  );
}
