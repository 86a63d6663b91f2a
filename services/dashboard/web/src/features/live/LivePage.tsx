import { useQuery } from "@tanstack/react-query";
import { Pause, Play } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { useProject, type OwnProject } from "~/api/account";
import { ConnectLink } from "~/features/connect/ConnectLink";
import { recentEventsOptions } from "~/features/live/api";
import { useArrivals, type Connection, type StoredEvent } from "~/features/live/arrivals";
import { EventDetail } from "~/features/live/EventDetail";
import { keepMatching } from "~/features/live/search";
import { exact } from "~/format/numbers";
import { clockTime, day, parseTime, shortTime } from "~/format/times";
import { Button } from "~/ui/Button";
import { cx } from "~/ui/cx";
import { ListTable, SearchedList } from "~/ui/List";
import { Page } from "~/ui/Page";
import { Empty } from "~/ui/states";

const COLUMNS = [
  { label: "Event", className: "w-36 px-4 text-start sm:w-52" },
  { label: "Person", className: "hidden w-56 px-2 text-start sm:table-cell" },
  { label: "Properties", className: "hidden px-2 text-start lg:table-cell" },
  { label: "Time", className: "w-40 px-4 text-end" },
];

export function LivePage() {
  const project = useProject();
  return <Live key={project.id} project={project} />;
}

function Live({ project }: { project: OwnProject }) {
  const recent = useQuery(recentEventsOptions(project.id));
  const arrivals = useArrivals(project.id);
  const [held, setHeld] = useState<StoredEvent[] | null>(null);
  const [typed, setTyped] = useState("");
  const wanted = useDeferredValue(typed);
  const [opened, setOpened] = useState<StoredEvent | null>(null);

  const all = join(arrivals.events, recent.data ?? []);
  const shown = keepMatching(held ?? all, wanted);
  const missed = held === null ? 0 : all.length - held.length;
  return (
    <Page
      title="Live"
      description="Events as they are stored, a second or two after they were sent."
      actions={
        <>
          <ConnectionSign connection={arrivals.connection} paused={held !== null} />
          <Button onClick={() => setHeld(held === null ? all : null)}>
            {held === null ? <Pause aria-hidden /> : <Play aria-hidden />}
            {held === null ? "Pause" : missed > 0 ? `Resume, ${exact(missed)} new` : "Resume"}
          </Button>
        </>
      }
    >
      <SearchedList
        search={{ label: "Filter events", placeholder: "Filter by event, person or property value", value: typed, onChange: setTyped }}
        note={arrivals.skipped > 0 ? <p className="mb-3 text-13 text-soft">{exact(arrivals.skipped)} events came too fast to be shown here. They are stored.</p> : null}
        query={recent}
        what={["event", "events"]}
        found={shown.length}
        wanted={all.length > 0 ? wanted.trim() : ""}
        empty={
          <Empty title="No events yet" action={<ConnectLink />}>
            What your site, app or server sends appears here while you watch. The snippets are already filled in.
          </Empty>
        }
        unmatched={`None of the last ${exact(all.length)} has “${wanted}” in its name, person or properties.`}
      >
        <EventRows events={shown} zone={project.timezone} onOpen={setOpened} />
      </SearchedList>
      <EventDetail event={opened} zone={project.timezone} onClose={() => setOpened(null)} />
    </Page>
  );
}

function ConnectionSign({ connection, paused }: { connection: Connection; paused: boolean }) {
  const words = paused ? "Paused" : connection === "open" ? "Listening" : connection === "connecting" ? "Connecting…" : "Connection lost, trying again";
  const tone = paused || connection === "connecting" ? "bg-warn" : connection === "open" ? "bg-good" : "bg-bad";
  return (
    <span role="status" className="flex items-center gap-2 text-13 text-soft">
      <span aria-hidden className={cx("size-2 rounded-full", tone)} />
      {words}
    </span>
  );
}

function EventRows({ events, zone, onOpen }: { events: StoredEvent[]; zone: string; onOpen: (event: StoredEvent) => void }) {
  const today = day(new Date(), zone);
  return (
    <ListTable caption="Events, newest first" columns={COLUMNS}>
      {events.map((event) => {
        const moment = parseTime(event.timestamp);
        const on = day(moment, zone);
        return (
          <tr key={event.uuid} className="relative animate-[arrive_1.6s_ease-out] transition-colors hover:bg-hover">
            <td className="truncate px-4 py-2">
              {/* The whole row is the button's; the table stays a table for whoever hears it. */}
              <button type="button" onClick={() => onOpen(event)} className="max-w-full truncate font-medium after:absolute after:inset-0" dir="auto">
                {event.event}
              </button>
            </td>
            <td className="hidden truncate px-2 py-2 text-soft sm:table-cell" dir="auto">
              {event.distinct_id}
            </td>
            <td className="hidden truncate px-2 py-2 text-13 text-faint lg:table-cell">{summarize(event.properties)}</td>
            <td className="figure px-4 py-2 text-end whitespace-nowrap text-soft">{on === today ? clockTime(moment, zone) : shortTime(moment, zone)}</td>
          </tr>
        );
      })}
    </ListTable>
  );
}

function summarize(properties: Record<string, unknown>): string {
  return Object.entries(properties)
    .filter(([name]) => !name.startsWith("$"))
    .slice(0, 5)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("   ");
}

function join(arrived: StoredEvent[], stored: StoredEvent[]): StoredEvent[] {
  const known = new Set(arrived.map((event) => event.uuid));
  return [...arrived, ...stored.filter((event) => !known.has(event.uuid))];
}
