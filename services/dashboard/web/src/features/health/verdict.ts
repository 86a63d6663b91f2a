/** What the figures of ingestion mean, for somebody who misses an event. */
import type { Schemas } from "~/api/client";
import { duration, exact } from "~/format/numbers";

type Ingestion = Omit<Schemas["IngestionAnswer"], "meta">;

export interface Verdict {
  tone: "good" | "warn" | "bad";
  says: string;
  /** What follows from it for events that are missed. */
  means: string;
}

const SAFE = "What was accepted is safe in the log, and will appear";
/** Below this many seconds in the log, an event is on its ordinary way. */
const ON_ITS_WAY = 5;

export function judge({ waiting_events, oldest_waiting_seconds, reported_at, silent_seconds, freshness }: Ingestion, locale?: string): Verdict {
  if (reported_at === null) return { tone: "warn", says: "The Consumer has not reported yet.", means: `${SAFE} once it runs.` };
  if (silent_seconds !== null)
    return { tone: "bad", says: `The Consumer has not reported for ${duration(silent_seconds, locale)}.`, means: `${SAFE} when it is back.` };
  if (waiting_events && oldest_waiting_seconds !== null && oldest_waiting_seconds >= ON_ITS_WAY) {
    const waits = waiting_events === 1 ? "One event waits to be stored" : `${exact(waiting_events, locale)} events wait to be stored, the oldest`;
    return { tone: "warn", says: `${waits} for ${duration(oldest_waiting_seconds, locale)}.`, means: `${SAFE}, oldest first.` };
  }
  if (freshness !== null)
    return { tone: "good", says: `Events are stored within ${duration(freshness.p95, locale)}.`, means: "One that is missing was rejected, or has not reached this project." };
  return { tone: "good", says: "Everything that was accepted is stored.", means: "No event came in the last five minutes." };
}
