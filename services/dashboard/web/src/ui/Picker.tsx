import { Combobox } from "@base-ui/react/combobox";
import { useState, type ReactElement } from "react";
import { cx } from "~/ui/cx";

export interface Choice {
  value: string;
  label: string;
  /** What stands behind the label in grey: how many, which kind. */
  note?: string;
}

interface PickerProps {
  label: string;
  placeholder: string;
  choices: readonly Choice[];
  isLoading?: boolean;
  value?: string | null;
  onPick: (value: string) => void;
  /** What may be made of a text that is no choice's name. */
  free?: (typed: string) => readonly Choice[];
  onSearch?: (typed: string) => void;
  trigger: ReactElement;
  /** What the button says, for whoever cannot see it; default: the label. */
  spoken?: string;
}

/** A searchable list behind a button: typing is enough. */
export function Picker({ label, placeholder, choices, isLoading, value, onPick, free, onSearch, trigger, spoken }: PickerProps) {
  const [typed, setTyped] = useState("");
  const wanted = typed.trim();
  const isKnown = choices.some((choice) => choice.value === wanted || choice.label === wanted);
  const extra = free && wanted && !isKnown ? free(wanted) : [];
  const chosen = choices.find((choice) => choice.value === value) ?? null;
  return (
    <Combobox.Root
      items={[...choices, ...extra]}
      value={chosen}
      isItemEqualToValue={(one: Choice, other: Choice) => one.value === other.value}
      filter={(choice: Choice, query: string) =>
        extra.includes(choice) || choice.label.toLowerCase().includes(query.trim().toLowerCase()) || choice.value.toLowerCase().includes(query.trim().toLowerCase())
      }
      autoHighlight
      limit={200}
      inputValue={typed}
      onInputValueChange={(next, details) => {
        if (details.reason === "item-press") return;
        setTyped(next);
        onSearch?.(next);
      }}
      onOpenChange={(open) => {
        if (!open) setTyped("");
      }}
      onValueChange={(choice) => {
        if (choice) onPick(choice.value);
      }}
    >
      <Combobox.Trigger render={trigger} aria-label={spoken ?? label} />
      <Combobox.Portal>
        <Combobox.Positioner sideOffset={4} align="start" className="z-50">
          <Combobox.Popup className="floating w-[min(22rem,var(--available-width))]" aria-label={label}>
            <div className="border-b border-line p-1">
              <Combobox.Input aria-label={label} placeholder={placeholder} className="h-8 w-full rounded-control bg-transparent px-2 text-14 outline-none" />
            </div>
            <Combobox.Empty className="empty:hidden">
              <p className="px-3 py-4 text-13 text-soft">{isLoading ? "Loading…" : "Nothing has that name."}</p>
            </Combobox.Empty>
            <Combobox.List className="max-h-[min(20rem,calc(var(--available-height)-3rem))] overflow-y-auto p-1 empty:p-0">
              {(choice: Choice) => (
                <Combobox.Item
                  key={`${choice.value}\n${choice.label}`}
                  value={choice}
                  className={cx(
                    "flex min-h-8 items-center gap-3 rounded-control px-2 py-1 text-14 outline-none data-highlighted:bg-hover",
                    choice.value === value && "text-accent-text",
                  )}
                >
                  <span className="min-w-0 flex-1 truncate" dir="auto">
                    {choice.label}
                  </span>
                  {choice.note ? <span className="figure text-12 text-faint">{choice.note}</span> : null}
                </Combobox.Item>
              )}
            </Combobox.List>
          </Combobox.Popup>
        </Combobox.Positioner>
      </Combobox.Portal>
    </Combobox.Root>
  );
}
