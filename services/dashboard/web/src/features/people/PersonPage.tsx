import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { useProject } from "~/api/account";
import { Problem } from "~/api/problem";
import type { StoredEvent } from "~/features/live/arrivals";
import { EventDetail, Facts } from "~/features/live/EventDetail";
import { personOptions } from "~/features/people/api";
import { personName } from "~/features/people/names";
import { counted } from "~/format/numbers";
import { clockTime, dateTime, day, parseTime } from "~/format/times";
import { buttonClass } from "~/ui/Button";
import { More } from "~/ui/List";
import { Page, Panel } from "~/ui/Page";
import { Empty, Failure, SkeletonRows } from "~/ui/states";

const route = getRouteApi("/signed-in/p/$projectId/people/$distinctId");

export function PersonPage() {
  const project = useProject();
  const { distinctId } = route.useParams();
  const person = useInfiniteQuery(personOptions(project.id, distinctId));
  const [opened, setOpened] = useState<StoredEvent | null>(null);
  const found = person.data?.pages[0];
  const timeline = person.data?.pages.flatMap((page) => page.timeline) ?? [];
  if (found === undefined)
    return (
      <Page title={distinctId}>
        <Panel>
          {person.isError ? (
            person.error instanceof Problem && person.error.status === 404 ? (
              <Empty
                title="There is no such person"
                action={
                  <Link to="/p/$projectId/people" params={{ projectId: String(project.id) }} search={{}} className={buttonClass("primary")}>
                    All people
                  </Link>
                }
              >
                Nobody with this id has done anything in this project.
              </Empty>
            ) : (
              <Failure error={person.error} onRetry={() => void person.refetch()} />
            )
          ) : (
            <SkeletonRows rows={8} />
          )}
        </Panel>
      </Page>
    );
  const moment = (text: string | null) => (text === null ? "never" : dateTime(parseTime(text), project.timezone));
  const properties = Object.entries(found.properties);
  return (
    <Page title={personName(found)} description={`${counted(found.events, "event")}. First seen ${moment(found.first_seen)}, last seen ${moment(found.last_seen)}.`}>
      <div className="grid items-start gap-4 lg:grid-cols-[360px_minmax(0,1fr)]">
        <Panel className="p-4" label="Profile">
          <h2 className="sr-only">Profile</h2>
          {properties.length > 0 ? <Facts title="Properties" facts={properties} /> : <p className="text-soft">No property is set. Send them with “$set” or identify.</p>}
          <Facts title={found.distinct_ids.length === 1 ? "Id" : `${found.distinct_ids.length} ids`} facts={found.distinct_ids.map((id, index) => [String(index + 1), id] as const)} />
          <Facts title="Person" facts={[["person_id", found.person_id]]} />
        </Panel>
        <Panel label="Timeline" className="overflow-hidden">
          <h2 className="sr-only">Timeline</h2>
          {timeline.length === 0 ? (
            <Empty title="No event of this person is stored">They may be older than what this installation keeps.</Empty>
          ) : (
            <ol>
              {timeline.map((event, index) => {
                const at = parseTime(event.timestamp);
                const before = timeline[index - 1];
                const on = day(at, project.timezone);
                const isNewDay = before === undefined || day(parseTime(before.timestamp), project.timezone) !== on;
                return (
                  <li key={event.uuid}>
                    {isNewDay ? <h3 className="border-y border-line bg-sunken px-4 py-1.5 text-12 text-soft first:border-t-0">{on}</h3> : null}
                    <button type="button" onClick={() => setOpened(event)} className="flex w-full items-baseline gap-4 px-4 py-2 text-start hover:bg-hover">
                      <span className="figure w-24 shrink-0 text-13 whitespace-nowrap text-soft">{clockTime(at, project.timezone)}</span>
                      <span className="min-w-0 flex-1 truncate font-medium" dir="auto">
                        {event.event}
                      </span>
                    </button>
                  </li>
                );
              })}
            </ol>
          )}
          <More query={person} label="Show older events" />
        </Panel>
      </div>
      <EventDetail event={opened} zone={project.timezone} onClose={() => setOpened(null)} />
    </Page>
  );
}
