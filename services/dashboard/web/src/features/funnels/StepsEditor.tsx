import { ArrowDown, ArrowUp, ChevronDown, Plus, X } from "lucide-react";
import type { Step } from "~/features/insights/document";
import { EventPicker } from "~/features/insights/EventPicker";
import { Filters } from "~/features/insights/Filters";
import { eventLabel } from "~/features/insights/words";
import { buttonClass, IconButton } from "~/ui/Button";
import { cx } from "~/ui/cx";

interface StepsEditorProps {
  steps: readonly Step[];
  onChange: (steps: Step[] | undefined) => void;
}

/** The steps in their order. */
export function StepsEditor({ steps, onChange }: StepsEditorProps) {
  const replace = (next: Step[]) => onChange(next.length > 0 ? next : undefined);
  const move = (from: number, to: number) => {
    const next = [...steps];
    const [moved] = next.splice(from, 1);
    if (moved) next.splice(to, 0, moved);
    replace(next);
  };
  return (
    <div className="flex flex-col gap-3">
      {steps.map((step, index) => {
        const remove = () => replace(steps.filter((_, at) => at !== index));
        const put = (next: Step) => replace(steps.map((each, at) => (at === index ? next : each)));
        return (
          <div key={index} className="flex gap-2" role="group" aria-label={`Step ${index + 1}`}>
            <span aria-hidden className="figure grid size-6 shrink-0 translate-y-1 place-items-center rounded-full bg-sunken text-12 font-medium text-soft">
              {index + 1}
            </span>
            <div className="flex min-w-0 flex-1 flex-col items-start gap-1.5">
              <div className="flex w-full items-center">
                <EventPicker
                  spoken={`${eventLabel(step.event)}: event of step ${index + 1}`}
                  value={step.event ?? null}
                  onPick={(event) => put({ ...step, event })}
                  trigger={
                    <button
                      type="button"
                      className={cx(buttonClass(), "min-w-0 flex-1 shrink justify-between!")}
                      onKeyDown={(event) => {
                        if (event.key === "Backspace" || event.key === "Delete") remove();
                      }}
                    >
                      <span className="truncate" dir="auto">
                        {eventLabel(step.event)}
                      </span>
                      <ChevronDown className="text-faint" aria-hidden />
                    </button>
                  }
                />
                <IconButton label={`Move step ${index + 1} up`} disabled={index === 0} onClick={() => move(index, index - 1)} className="ms-1 w-6">
                  <ArrowUp />
                </IconButton>
                <IconButton label={`Move step ${index + 1} down`} disabled={index === steps.length - 1} onClick={() => move(index, index + 1)} className="w-6">
                  <ArrowDown />
                </IconButton>
                <IconButton label={`Remove step ${index + 1}`} onClick={remove} className="w-6">
                  <X />
                </IconButton>
              </div>
              <Filters
                filters={step.filters}
                events={step.event == null ? [] : [step.event]}
                onChange={(filters) => {
                  const { filters: _, ...rest } = step;
                  put(filters === undefined ? rest : { ...rest, filters });
                }}
              />
            </div>
          </div>
        );
      })}
      {steps.length < 20 ? (
        <EventPicker
          spoken={steps.length === 0 ? "Choose the first step" : steps.length === 1 ? "Choose the next step" : "Add a step"}
          onPick={(event) => replace([...steps, { event }])}
          trigger={
            <button type="button" className={cx(buttonClass(steps.length < 2 ? "primary" : "plain"), "self-start")}>
              <Plus aria-hidden />
              {steps.length === 0 ? "Choose the first step" : steps.length === 1 ? "Choose the next step" : "Add a step"}
            </button>
          }
        />
      ) : null}
    </div>
  );
}
