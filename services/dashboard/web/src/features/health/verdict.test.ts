import { describe, expect, it } from "vitest";
import { judge } from "./verdict";

const well = {
  waiting_events: 0,
  oldest_waiting_seconds: null,
  reported_at: "2026-11-18T15:30:00.000Z",
  silent_seconds: null,
  events_per_second: 3.2,
  freshness: { p50: 0.21, p95: 0.402 },
};

function told(ingestion: Partial<typeof well | Parameters<typeof judge>[0]>) {
  const { tone, says } = judge({ ...well, ...ingestion }, "en-US");
  return [tone, says];
}

describe("the verdict on ingestion", () => {
  it("tells how soon events are there", () => {
    expect(told({})).toEqual(["good", "Events are stored within 402 ms."]);
    expect(told({ waiting_events: 12, oldest_waiting_seconds: 0.3 })).toEqual(["good", "Events are stored within 402 ms."]);
  });

  it("tells how many wait, and for how long", () => {
    const waiting = { waiting_events: 3200, oldest_waiting_seconds: 12 };
    expect(told(waiting)).toEqual(["warn", "3,200 events wait to be stored, the oldest for 12 s."]);
    expect(told({ ...waiting, waiting_events: 1 })).toEqual(["warn", "One event waits to be stored for 12 s."]);
  });

  it("tells of a Consumer that is silent, whatever it said before", () => {
    expect(told({ silent_seconds: 120 })).toEqual(["bad", "The Consumer has not reported for 2 min."]);
    expect(told({ silent_seconds: 120, waiting_events: 9, oldest_waiting_seconds: 130 })[0]).toBe("bad");
    expect(told({ reported_at: null, waiting_events: null })).toEqual(["warn", "The Consumer has not reported yet."]);
  });

  it("takes silence of the clients for no fault", () => {
    expect(told({ freshness: null, events_per_second: 0 })).toEqual(["good", "Everything that was accepted is stored."]);
  });
});
