import { Toggle } from "@base-ui/react/toggle";
import { ToggleGroup } from "@base-ui/react/toggle-group";
import type { Option } from "~/ui/Select";

/** One of two to five values that are seen at once. */
export function Segments<T extends string>({ label, value, options, onChange }: { label: string; value: T; options: readonly Option<T>[]; onChange: (value: T) => void }) {
  return (
    <ToggleGroup
      aria-label={label}
      value={[value]}
      onValueChange={(next) => {
        const chosen = next[0];
        if (chosen !== undefined) onChange(chosen);
      }}
      className="inline-flex h-8 self-start rounded-control border border-line bg-sunken p-0.5"
    >
      {options.map((option) => (
        <Toggle
          key={option.value}
          value={option.value}
          className="inline-flex items-center gap-1.5 rounded-[4px] px-2.5 text-13 font-medium text-soft transition-colors duration-120 hover:text-text data-pressed:bg-surface data-pressed:text-text data-pressed:outline data-pressed:outline-line [&_svg]:size-4"
        >
          {option.icon}
          {option.label}
        </Toggle>
      ))}
    </ToggleGroup>
  );
}
