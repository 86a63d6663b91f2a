import type { Schemas } from "~/api/client";
import { eventLabel, rangePhrase } from "~/features/insights/words";
import type { Behind } from "~/features/people/behind";

/** Everybody who did a step's event. Whether they did the steps before it, a list cannot tell. */
export function peopleBehindStep(query: Schemas["FunnelQuery"], index: number): Behind {
  const step = query.steps[index];
  const range = { date_from: query.date_from ?? "-7d", ...(query.date_to == null ? {} : { date_to: query.date_to }) };
  return {
    title: `${step?.name ?? eventLabel(step?.event)}, ${rangePhrase(range)}`,
    ...(index === 0
      ? {}
      : { note: "Everybody with a profile who did this step’s event in the range, also those who had not done the steps before it." }),
    event: step?.event ?? null,
    filters: [...(query.filters ?? []), ...(step?.filters ?? [])],
    ...range,
  };
}
