import { describe, expect, it } from "vitest";
import type { StoredEvent } from "~/features/live/arrivals";
import { readMessages } from "~/features/live/messages";
import { keepMatching } from "~/features/live/search";

describe("server-sent events", () => {
  it("are read as they come, in whatever pieces", () => {
    const text = 'id: 1-a\ndata: {"a": 1}\n\n: \n\nretry: 2000\nid: 2\n\nevent: skipped\r\ndata: {"skipped": 3}\r\n\r\ndata: half';
    const whole = readMessages(text);
    expect(whole.messages).toEqual([
      { id: "1-a", type: "message", data: '{"a": 1}' },
      { id: "", type: "message", data: "" },
      { id: "2", type: "message", data: "" },
      { id: "", type: "skipped", data: '{"skipped": 3}' },
    ]);
    expect(whole.rest).toBe("data: half");

    let rest = "";
    const messages = [];
    for (const letter of text.replaceAll("\r", "")) {
      const read = readMessages(rest + letter);
      rest = read.rest;
      messages.push(...read.messages);
    }
    expect(messages).toEqual(whole.messages);
  });
});

it("filters by name, person and value", () => {
  const event = (name: string, distinct_id: string, properties: Record<string, unknown>) => ({ event: name, distinct_id, properties }) as unknown as StoredEvent;
  const events = [event("signup", "ann", { plan: "Pro" }), event("pageview", "bob", { path: "/pricing" })];
  expect(keepMatching(events, "ANN pro")).toEqual([events[0]]);
  expect(keepMatching(events, "pricing")).toEqual([events[1]]);
  expect(keepMatching(events, "  ")).toEqual(events);
  expect(keepMatching(events, "path")).toEqual([]);
});
