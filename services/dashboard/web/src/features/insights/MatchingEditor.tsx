import { ChevronDown } from "lucide-react";
import type { Step } from "~/features/insights/document";
import { EventPicker } from "~/features/insights/EventPicker";
import { Filters } from "~/features/insights/Filters";
import { eventLabel } from "~/features/insights/words";
import { buttonClass } from "~/ui/Button";
import { cx } from "~/ui/cx";

interface MatchingEditorProps {
  label: string;
  value: Step | undefined;
  onChange: (value: Step) => void;
}

/** One event with its filters. */
export function MatchingEditor({ label, value, onChange }: MatchingEditorProps) {
  return (
    <div className="flex flex-col items-start gap-1.5">
      <EventPicker
        spoken={`${value ? eventLabel(value.event) : "Choose an event"}: ${label}`}
        {...(value === undefined ? {} : { value: value.event ?? null })}
        onPick={(event) => onChange({ ...value, event })}
        trigger={
          <button type="button" className={cx(buttonClass(value === undefined ? "primary" : "plain"), "w-full justify-between!")}>
            <span className="truncate" dir="auto">
              {value ? eventLabel(value.event) : "Choose an event"}
            </span>
            <ChevronDown aria-hidden />
          </button>
        }
      />
      {value ? (
        <Filters
          filters={value.filters}
          events={value.event == null ? [] : [value.event]}
          onChange={(filters) => {
            const { filters: _, ...rest } = value;
            onChange(filters === undefined ? rest : { ...rest, filters });
          }}
        />
      ) : null}
    </div>
  );
}
