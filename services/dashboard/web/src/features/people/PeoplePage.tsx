import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useProject } from "~/api/account";
import { ConnectLink } from "~/features/connect/ConnectLink";
import { personsOptions } from "~/features/people/api";
import { personName } from "~/features/people/names";
import { exact } from "~/format/numbers";
import { ago, dateTime, parseTime } from "~/format/times";
import { ListTable, More, SearchedList } from "~/ui/List";
import { Page } from "~/ui/Page";
import { Empty } from "~/ui/states";

const route = getRouteApi("/signed-in/p/$projectId/people");
const PAUSE_MS = 250;
const COLUMNS = [
  { label: "Person", className: "px-4 text-start" },
  { label: "Ids", className: "hidden px-2 text-start md:table-cell" },
  { label: "Events", className: "w-24 px-4 text-end sm:px-2" },
  { label: "Last seen", className: "hidden w-40 px-4 text-end sm:table-cell" },
];

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
      <SearchedList
        search={{ label: "Search people", placeholder: "Search by id, name or email", value: typed, onChange: setTyped }}
        query={persons}
        what={["person", "people"]}
        found={rows.length}
        hasMore={persons.hasNextPage}
        wanted={search}
        empty={
          <Empty title="Nobody yet" action={<ConnectLink />}>
            People appear with their first event. The snippets are already filled in.
          </Empty>
        }
        unmatched={`Nobody has “${search}” in an id or a property.`}
      >
        <ListTable caption="People, the most recently active first" columns={COLUMNS}>
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
              <td className="figure px-4 py-2 text-end sm:px-2">{exact(person.events)}</td>
              <td
                className="figure hidden px-4 py-2 text-end text-soft sm:table-cell"
                title={person.last_seen ? dateTime(parseTime(person.last_seen), project.timezone) : undefined}
              >
                {person.last_seen ? ago(parseTime(person.last_seen), now) : "never"}
              </td>
            </tr>
          ))}
        </ListTable>
        <More query={persons} />
      </SearchedList>
    </Page>
  );
}
