import { Link } from "@tanstack/react-router";
import { useProject } from "~/api/account";
import type { StoredEvent } from "~/features/live/arrivals";
import { dateTime, parseTime } from "~/format/times";
import { buttonClass } from "~/ui/Button";
import { CopyButton } from "~/ui/Copy";
import { Dialog } from "~/ui/Dialog";

/** All that is stored about one event. */
export function EventDetail({ event, zone, onClose }: { event: StoredEvent | null; zone: string; onClose: () => void }) {
  const projectId = String(useProject().id);
  if (event === null) return null;
  const own = Object.entries(event.properties).filter(([name]) => !name.startsWith("$"));
  const automatic = Object.entries(event.properties).filter(([name]) => name.startsWith("$"));
  return (
    <Dialog open onClose={onClose} wide title={event.event} description={dateTime(parseTime(event.timestamp), zone)}>
      <Facts
        title="Event"
        facts={[
          ["Person's distinct_id", event.distinct_id],
          ["person_id", event.person_id],
          ["uuid", event.uuid],
          ["Session", event.session_id || "none"],
          ["Received", dateTime(parseTime(event.received_at), zone)],
        ]}
      />
      {own.length > 0 ? <Facts title="Properties" facts={own} /> : <p className="mt-4 text-soft">It has no properties of its own.</p>}
      {automatic.length > 0 ? <Facts title="Properties that were added" facts={automatic} /> : null}
      <div className="mt-5 flex flex-wrap gap-2">
        <CopyButton text={JSON.stringify(event, null, 2)} label="Copy as JSON" />
        <Link to="/p/$projectId/trends" params={{ projectId }} search={{ series: [{ event: event.event }] }} className={buttonClass("plain", true)}>
          Trend of this event
        </Link>
        <Link to="/p/$projectId/people/$distinctId" params={{ projectId, distinctId: event.distinct_id }} className={buttonClass("plain", true)}>
          This person
        </Link>
      </div>
    </Dialog>
  );
}

export function Facts({ title, facts }: { title: string; facts: readonly (readonly [string, unknown])[] }) {
  return (
    <section className="mt-4 first:mt-0">
      <h3 className="mb-1 text-13 text-soft">{title}</h3>
      <dl className="divide-y divide-line border-y border-line">
        {facts.map(([name, value]) => (
          <div key={name} className="grid gap-x-4 py-1.5 sm:grid-cols-[minmax(5rem,2fr)_minmax(0,5fr)]">
            <dt className="text-13 break-words text-soft">{name}</dt>
            <dd className="figure min-w-0 break-words whitespace-pre-wrap" dir="auto">
              {typeof value === "string" ? value : JSON.stringify(value, null, 2)}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
