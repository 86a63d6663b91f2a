import { Select as Base } from "@base-ui/react/select";
import { Check, ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import { buttonClass } from "~/ui/Button";
import { cx } from "~/ui/cx";

export interface Option<T extends string> {
  value: T;
  label: string;
  icon?: ReactNode;
}

interface SelectProps<T extends string> {
  label: string;
  value: T;
  options: readonly Option<T>[];
  onChange: (value: T) => void;
  small?: boolean;
  quiet?: boolean;
  disabled?: boolean;
  className?: string;
}

/** One of a few known values. */
export function Select<T extends string>({ label, value, options, onChange, small, quiet, disabled, className }: SelectProps<T>) {
  const chosen = options.find((option) => option.value === value);
  return (
    <Base.Root
      items={options as Option<T>[]}
      value={value}
      disabled={disabled}
      modal={false}
      onValueChange={(next) => {
        if (next !== null) onChange(next);
      }}
    >
      <Base.Trigger aria-label={`${label}: ${chosen?.label ?? value}`} className={cx(buttonClass(quiet ? "quiet" : "plain", small), "font-normal", className)}>
        {chosen?.icon}
        <span className="min-w-0 flex-1 truncate text-start text-text">{chosen?.label ?? value}</span>
        <ChevronDown className="text-faint" aria-hidden />
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} align="start" alignItemWithTrigger={false} className="z-40">
          <Base.Popup className="floating max-h-[min(24rem,var(--available-height))] min-w-[var(--anchor-width)] overflow-y-auto p-1">
            {options.map((option) => (
              <Base.Item
                key={option.value}
                value={option.value}
                className="flex h-8 items-center gap-2 rounded-control pr-3 pl-2 text-14 outline-none data-highlighted:bg-hover [&_svg]:size-4"
              >
                <span className="flex w-4 shrink-0">
                  <Base.ItemIndicator>
                    <Check className="text-accent-text" aria-hidden />
                  </Base.ItemIndicator>
                </span>
                {option.icon}
                <Base.ItemText>{option.label}</Base.ItemText>
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
