import { Plus, X } from "lucide-react";
import { fitExclusions, MOST_EXCLUSIONS, type Exclusion, type Order } from "~/features/funnels/document";
import { EventPicker } from "~/features/insights/EventPicker";
import { MatchingEditor } from "~/features/insights/MatchingEditor";
import type { Step } from "~/features/insights/document";
import { eventLabel } from "~/features/insights/words";
import { buttonClass, IconButton } from "~/ui/Button";
import { Select } from "~/ui/Select";

interface ExclusionsEditorProps {
  exclusions: readonly Exclusion[] | undefined;
  steps: readonly Step[];
  order: Order;
  onChange: (exclusions: Exclusion[] | undefined) => void;
}

/** What must not come between two steps. */
export function ExclusionsEditor({ exclusions = [], steps, order, onChange }: ExclusionsEditorProps) {
  const shown = fitExclusions(exclusions, steps.length, order);
  const replace = (next: Exclusion[]) => onChange(next.length > 0 ? next : undefined);
  const last = Math.max(1, steps.length - 1);
  return (
    <div className="flex flex-col gap-3">
      {shown.map((exclusion, index) => {
        const put = (next: Exclusion) => replace(shown.map((each, at) => (at === index ? next : each)));
        return (
          <div key={index} className="flex gap-1" role="group" aria-label={`Exclusion ${index + 1}`}>
            <div className="flex min-w-0 flex-1 flex-col gap-1.5">
              <MatchingEditor label={`exclusion ${index + 1}`} value={exclusion} onChange={(next) => put({ ...next, from_step: exclusion.from_step, to_step: exclusion.to_step })} />
              {order === "unordered" || steps.length < 3 ? null : (
                <div className="flex flex-wrap gap-1.5 text-13 text-soft">
                  <StepSelect
                    word="after"
                    label={`After which step, exclusion ${index + 1}`}
                    value={exclusion.from_step}
                    steps={steps}
                    among={[0, exclusion.to_step - 1]}
                    onChange={(from_step) => put({ ...exclusion, from_step })}
                  />
                  <StepSelect
                    word="before"
                    label={`Before which step, exclusion ${index + 1}`}
                    value={exclusion.to_step}
                    steps={steps}
                    among={[exclusion.from_step + 1, last]}
                    onChange={(to_step) => put({ ...exclusion, to_step })}
                  />
                </div>
              )}
            </div>
            <IconButton label={`Remove exclusion ${index + 1}`} onClick={() => replace(shown.filter((_, at) => at !== index))} className="w-6">
              <X />
            </IconButton>
          </div>
        );
      })}
      {shown.length < MOST_EXCLUSIONS ? (
        <EventPicker
          spoken="Exclude an event"
          onPick={(event) => replace([...shown, { event, from_step: 0, to_step: last }])}
          trigger={
            <button type="button" className={`${buttonClass("plain", true)} self-start`}>
              <Plus aria-hidden />
              Exclude an event
            </button>
          }
        />
      ) : null}
    </div>
  );
}

interface StepSelectProps {
  /** What is said in front of it, and stays with it where lines end. */
  word: string;
  label: string;
  value: number;
  steps: readonly Step[];
  /** The first and the last that may be chosen. */
  among: readonly [number, number];
  onChange: (index: number) => void;
}

function StepSelect({ word, label, value, steps, among: [first, last], onChange }: StepSelectProps) {
  const options = steps.map((step, index) => ({ value: String(index), label: `${index + 1}. ${step.name ?? eventLabel(step.event)}` })).slice(first, last + 1);
  return (
    <span className="flex items-center gap-1.5">
      {word}
      <Select label={label} small className="max-w-36" value={String(value)} options={options} onChange={(index) => onChange(Number(index))} />
    </span>
  );
}
