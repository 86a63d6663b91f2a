import { useEffect, useState } from "react";
import { fetchAuthorized, type Schemas } from "~/api/client";
import { Problem } from "~/api/problem";
import { readMessages } from "~/features/live/messages";

export type StoredEvent = Schemas["Event"];

export type Connection = "connecting" | "open" | "broken";

interface Listener {
  onEvents: (events: StoredEvent[]) => void;
  onSkipped?: (count: number) => void;
  onConnection: (connection: Connection, error: unknown) => void;
}

const AGAIN_MS = [500, 1_000, 2_000, 5_000];

/** Listen to what arrives in a project until `signal` says stop. Comes back by itself after every break, where it was. */
export async function listen(projectId: number, signal: AbortSignal, listener: Listener): Promise<void> {
  let lastId = "";
  let failures = 0;
  while (!signal.aborted) {
    try {
      const headers: Record<string, string> = { accept: "text/event-stream", ...(lastId ? { "last-event-id": lastId } : {}) };
      const response = await fetchAuthorized(`/api/stream?project_id=${projectId}`, { headers, signal });
      if (response.body === null) return;
      listener.onConnection("open", null);
      failures = 0;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const read = readMessages(text + value);
        text = read.rest;
        const events: StoredEvent[] = [];
        for (const message of read.messages) {
          if (message.id) lastId = message.id;
          if (!message.data) continue;
          if (message.type === "message") events.push(JSON.parse(message.data) as StoredEvent);
          else if (message.type === "skipped") listener.onSkipped?.((JSON.parse(message.data) as { skipped: number }).skipped);
        }
        if (events.length > 0) listener.onEvents(events);
      }
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it changes while we wait
      if (signal.aborted) return;
      failures += 1;
      if (failures > 1) listener.onConnection("broken", error);
      if (error instanceof Problem && [401, 403, 404].includes(error.status)) return;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)]));
  }
}

interface Arrivals {
  /** Newest first. */
  events: StoredEvent[];
  skipped: number;
  connection: Connection;
  error: unknown;
}

const NOTHING: Arrivals = { events: [], skipped: 0, connection: "connecting", error: null };
const KEPT = 500;

/** What has arrived since this was first shown, newest first, at most the last 500. Whoever shows it has the project as its key. */
export function useArrivals(projectId: number): Arrivals {
  const [state, setState] = useState(NOTHING);
  useEffect(() => {
    const controller = new AbortController();
    void listen(projectId, controller.signal, {
      onEvents: (events) => setState((old) => ({ ...old, events: [...events.reverse(), ...old.events].slice(0, KEPT) })),
      onSkipped: (count) => setState((old) => ({ ...old, skipped: old.skipped + count })),
      onConnection: (connection, error) => setState((old) => ({ ...old, connection, error })),
    });
    return () => controller.abort();
  }, [projectId]);
  return state;
}
