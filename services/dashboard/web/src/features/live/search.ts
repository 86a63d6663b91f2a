import type { StoredEvent } from "~/features/live/arrivals";

/** Events that have every word in their name, their person or a value of their properties. */
export function keepMatching(events: readonly StoredEvent[], typed: string): StoredEvent[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...events];
  return events.filter((event) => {
    const text = `${event.event}\n${event.distinct_id}\n${JSON.stringify(Object.values(event.properties))}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
