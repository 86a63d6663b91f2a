import { Plus, X } from "lucide-react";
import { useState } from "react";
import type { FilterNode } from "~/features/insights/document";
import { FilterEditor } from "~/features/insights/FilterEditor";
import { PropertyPicker } from "~/features/insights/PropertyPicker";
import { filterLabel } from "~/features/insights/words";
import { buttonClass } from "~/ui/Button";
import { cx } from "~/ui/cx";
import { Popover } from "~/ui/Popover";

interface FiltersProps {
  filters: readonly FilterNode[] | undefined;
  events: readonly string[];
  onChange: (filters: FilterNode[] | undefined) => void;
}

/** Conditions as chips: each can be edited where it stands, and goes with Backspace or its cross. */
export function Filters({ filters = [], events, onChange }: FiltersProps) {
  const [fresh, setFresh] = useState<number | null>(null);
  const put = (index: number, filter: FilterNode | null) => {
    const next = filter === null ? filters.filter((_, at) => at !== index) : filters.map((each, at) => (at === index ? filter : each));
    onChange(next.length > 0 ? next : undefined);
  };
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      {filters.map((filter, index) => (
        <FilterChip
          key={index}
          filter={filter}
          events={events}
          openAtFirst={fresh === index}
          onChange={(next) => put(index, next)}
          onRemove={() => put(index, null)}
        />
      ))}
      <PropertyPicker
        label="Filter by property"
        spoken="Filter"
        events={events}
        onPick={(named) => {
          setFresh(filters.length);
          onChange([...filters, { ...named, operator: "is_set" }]);
        }}
        trigger={
          <button type="button" className={buttonClass("quiet", true)}>
            <Plus aria-hidden />
            Filter
          </button>
        }
      />
    </div>
  );
}

interface FilterChipProps {
  filter: FilterNode;
  events: readonly string[];
  openAtFirst: boolean;
  onChange: (filter: FilterNode) => void;
  onRemove: () => void;
}

function FilterChip({ filter, events, openAtFirst, onChange, onRemove }: FilterChipProps) {
  const [open, setOpen] = useState(openAtFirst);
  const label = filterLabel(filter);
  const chipClass = "min-w-0 truncate rounded-s-control px-2 text-13 leading-[26px] hover:bg-hover";
  const chip = (
    <button
      type="button"
      className={chipClass}
      dir="auto"
      title={label}
      onKeyDown={(event) => {
        if (event.key === "Backspace" || event.key === "Delete") onRemove();
      }}
    >
      {label}
    </button>
  );
  return (
    <span className="inline-flex h-7 max-w-full items-center rounded-control border border-line bg-sunken">
      {"property" in filter ? (
        <Popover trigger={chip} label={`Filter: ${label}`} open={open} onOpenChange={setOpen}>
          <FilterEditor filter={filter} events={events} onChange={onChange} onDone={() => setOpen(false)} />
        </Popover>
      ) : (
        chip
      )}
      <button type="button" aria-label={`Remove the filter ${label}`} onClick={onRemove} className={cx("grid h-full w-6 place-items-center rounded-e-control text-faint hover:bg-hover hover:text-text")}>
        <X className="size-3.5" aria-hidden />
      </button>
    </span>
  );
}
