import { ChevronDown, Plus, X } from "lucide-react";
import type { Named } from "~/features/insights/document";
import { PropertyPicker } from "~/features/insights/PropertyPicker";
import { propertyLabel } from "~/features/insights/words";
import { buttonClass, IconButton } from "~/ui/Button";
import { cx } from "~/ui/cx";

interface BreakdownPickerProps {
  value: Named | undefined;
  events: readonly string[];
  onChange: (named: Named | undefined) => void;
}

/** One series for each value of a property. */
export function BreakdownPicker({ value, events, onChange }: BreakdownPickerProps) {
  if (value === undefined)
    return (
      <PropertyPicker
        label="Break down by"
        spoken="Break down"
        events={events}
        onPick={onChange}
        trigger={
          <button type="button" className={`${buttonClass("plain", true)} self-start`}>
            <Plus aria-hidden />
            Break down
          </button>
        }
      />
    );
  const label = propertyLabel(value);
  return (
    <div className="flex items-center gap-1">
      <PropertyPicker
        label="Break down by"
        spoken={`${label}: broken down by this property`}
        events={events}
        value={value}
        onPick={onChange}
        trigger={
          <button
            type="button"
            className={cx(buttonClass(), "min-w-0 flex-1 shrink justify-between!")}
            onKeyDown={(event) => {
              if (event.key === "Backspace" || event.key === "Delete") onChange(undefined);
            }}
          >
            <span className="truncate" dir="auto">
              {label}
            </span>
            <ChevronDown className="text-faint" aria-hidden />
          </button>
        }
      />
      <IconButton label="Remove the breakdown" onClick={() => onChange(undefined)}>
        <X />
      </IconButton>
    </div>
  );
}
