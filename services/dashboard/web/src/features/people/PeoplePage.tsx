import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useProject } from "~/api/account";
import { personsOptions } from "~/features/people/api";
import { personName } from "~/features/people/names";
import { exact } from "~/format/numbers";
import { ago, dateTime, parseTime } from "~/format/times";
import { Button, buttonClass } from "~/ui/Button";
import { cx } from "~/ui/cx";
import { inputClass } from "~/ui/Field";
import { Page, Panel } from "~/ui/Page";
import { Empty, Failure, SkeletonRows } from "~/ui/states";

const route = getRouteApi("/signed-in/p/$projectId/people");
const PAUSE_MS = 250;

export function PeoplePage() {
  const project = useProject();
  const params = { projectId: String(project.id) };
  const { search = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const [typed, setTyped] = useState(search);
  const persons = useInfiniteQuery(personsOptions(project.id, search));
  useEffect(() => {
    if (typed.trim() === search) return;
    const timer = setTimeout(() => void navigate({ search: typed.trim() ? { search: typed.trim() } : {}, replace: true }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, search, navigate]);
  const rows = persons.data?.pages.flatMap((page) => page.results) ?? [];
  const now = new Date();
  return (
    <Page title="People" description="Everybody who did something, with all the ids under which they did it.">
      <input
        type="search"
        aria-label="Search people"
        placeholder="Search by id, name or email"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        className={cx(inputClass, "mb-3 max-w-md")}
      />
      <Panel className="overflow-hidden">
        {persons.isPending ? (
          <SkeletonRows rows={10} />
        ) : persons.isError ? (
          <Failure error={persons.error} onRetry={() => void persons.refetch()} />
        ) : rows.length === 0 ? (
          search ? (
            <Empty title="Nobody matches" action={<Button onClick={() => setTyped("")}>Show everybody</Button>}>
              No person has “{search}” in an id or a property.
            </Empty>
          ) : (
            <Empty
              title="Nobody yet"
              action={
                <Link to="/p/$projectId/connect" params={params} className={buttonClass("primary")}>
                  Copy a snippet
                </Link>
              }
            >
              People appear with their first event. The snippets are already filled in.
            </Empty>
          )
        ) : (
          <>
            <table className="w-full table-fixed border-collapse">
              <caption className="sr-only">People, the most recently active first</caption>
              <thead className="border-b border-line text-12 text-soft">
                <tr>
                  <th scope="col" className="px-4 py-2 text-start font-medium">
                    Person
                  </th>
                  <th scope="col" className="hidden px-2 py-2 text-start font-medium md:table-cell">
                    Ids
                  </th>
                  <th scope="col" className="w-24 px-2 py-2 text-end font-medium">
                    Events
                  </th>
                  <th scope="col" className="hidden w-40 px-4 py-2 text-end font-medium sm:table-cell">
                    Last seen
                  </th>
                </tr>
              </thead>
              <tbody className="divide-y divide-line">
                {rows.map((person) => (
                  <tr key={person.person_id} className="relative hover:bg-hover">
                    <td className="truncate px-4 py-2">
                      <Link
                        to="/p/$projectId/people/$distinctId"
                        params={{ ...params, distinctId: person.distinct_ids[0] ?? person.person_id }}
                        className="font-medium after:absolute after:inset-0"
                        dir="auto"
                      >
                        {personName(person)}
                      </Link>
                    </td>
                    <td className="hidden truncate px-2 py-2 text-13 text-soft md:table-cell" dir="auto">
                      {person.distinct_ids.join(", ")}
                    </td>
                    <td className="figure px-2 py-2 text-end">{exact(person.events)}</td>
                    <td
                      className="figure hidden px-4 py-2 text-end text-soft sm:table-cell"
                      title={person.last_seen ? dateTime(parseTime(person.last_seen), project.timezone) : undefined}
                    >
                      {person.last_seen ? ago(parseTime(person.last_seen), now) : "never"}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
            {persons.hasNextPage ? (
              <div className="border-t border-line p-2 text-center">
                <Button kind="quiet" disabled={persons.isFetchingNextPage} onClick={() => void persons.fetchNextPage()}>
                  {persons.isFetchingNextPage ? "Loading…" : "Show more"}
                </Button>
              </div>
            ) : null}
          </>
        )}
      </Panel>
    </Page>
  );
}
