import { fitBreakdown, type Attribution, type FunnelBreakdown, type Order } from "~/features/funnels/document";
import { BreakdownPicker } from "~/features/insights/BreakdownPicker";
import type { Step } from "~/features/insights/document";
import { eventLabel } from "~/features/insights/words";
import { Select } from "~/ui/Select";

const ATTRIBUTION_LABELS: Record<Attribution, string> = {
  first_touch: "The first value they had",
  last_touch: "The last value they had",
  all_events: "Each value by itself",
  step: "The value at a step",
};

/** Which value counts stays when another property is chosen. */
function choiceOf({ attribution, step }: Partial<FunnelBreakdown> = {}): Partial<FunnelBreakdown> {
  return { ...(attribution === undefined ? {} : { attribution }), ...(step === undefined ? {} : { step }) };
}

interface BreakdownEditorProps {
  breakdown: FunnelBreakdown | undefined;
  steps: readonly Step[];
  order: Order;
  events: readonly string[];
  onChange: (breakdown: FunnelBreakdown | undefined) => void;
}

/** A funnel for each value of a property, and which of a person's values counts. */
export function BreakdownEditor({ breakdown, steps, order, events, onChange }: BreakdownEditorProps) {
  const shown = breakdown === undefined ? undefined : fitBreakdown(breakdown, Math.max(2, steps.length), order);
  const attribution = shown?.attribution ?? "first_touch";
  const options = (Object.keys(ATTRIBUTION_LABELS) as Attribution[])
    .filter((value) => value !== "step" || order !== "unordered")
    .map((value) => ({ value, label: ATTRIBUTION_LABELS[value] }));
  return (
    <div className="flex flex-col gap-1.5">
      <BreakdownPicker
        value={shown}
        events={events}
        onChange={(named) => {
          onChange(named === undefined ? undefined : { ...named, ...choiceOf(shown) });
        }}
      />
      {shown === undefined || shown.scope === "person" ? null : (
        <div className="flex flex-wrap items-center gap-1.5">
          <Select
            label="Which value counts"
            small
            value={attribution}
            options={options}
            onChange={(next) => {
              const { property, limit } = shown;
              const named = { property, ...(limit === undefined ? {} : { limit }) };
              onChange(next === "first_touch" ? named : next === "step" ? { ...named, attribution: next, step: 0 } : { ...named, attribution: next });
            }}
          />
          {attribution === "step" ? (
            <Select
              label="At which step"
              small
              className="max-w-40"
              value={String(shown.step ?? 0)}
              options={steps.map((step, index) => ({ value: String(index), label: `${index + 1}. ${step.name ?? eventLabel(step.event)}` }))}
              onChange={(step) => onChange({ ...shown, step: Number(step) })}
            />
          ) : null}
        </div>
      )}
    </div>
  );
}
