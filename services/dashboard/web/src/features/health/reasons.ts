import { capitalised } from "~/format/text";

/** What to do about an event that was rejected, by the reason that the platform gave. */
const ADVICE: Record<string, string> = {
  missing_event_name: "Send a name as “event”. Without one nobody could ask for it.",
  invalid_event: "Every event has to be a JSON object, and its name text.",
  event_name_too_long: "The name may have 200 characters. What differs from event to event belongs in its properties.",
  missing_distinct_id: "Send whose event it is as “distinct_id”: a user's id, or one that you keep in the browser.",
  invalid_distinct_id: "“distinct_id” has to stand for one person. “null” or “anonymous” would be everybody at once.",
  invalid_properties: "“properties” has to be an object of names and values.",
  properties_too_deep: "Send flatter properties: what is nested this deep cannot be asked for.",
  too_many_properties: "Send fewer properties with one event.",
  event_too_large: "One event may have 1 MiB. Send less in its properties.",
  invalid_uuid: "Leave “uuid” out, or send a real one: it tells a repeated event from a new one.",
};

export function adviceFor(reason: string): string {
  return ADVICE[reason] ?? "What is wrong is below, with exactly what was sent.";
}

/** A reason's name as words. */
export function reasonLabel(reason: string): string {
  return capitalised(reason.replaceAll("_", " "));
}
