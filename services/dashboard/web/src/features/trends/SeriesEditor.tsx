import { ChevronDown, Plus, X } from "lucide-react";
import { MATHS, PROPERTY_MATHS, type Maths, type Series } from "~/features/insights/document";
import { EventPicker } from "~/features/insights/EventPicker";
import { Filters } from "~/features/insights/Filters";
import { PropertyPicker } from "~/features/insights/PropertyPicker";
import { eventLabel, MATH_LABELS } from "~/features/insights/words";
import { letterOf } from "~/features/trends/document";
import { changeMath } from "~/features/trends/edit";
import { buttonClass, IconButton } from "~/ui/Button";
import { cx } from "~/ui/cx";
import { Select } from "~/ui/Select";

const MATH_OPTIONS = MATHS.map((value) => ({ value, label: MATH_LABELS[value] }));

interface SeriesEditorProps {
  series: readonly Series[];
  onChange: (series: Series[] | undefined) => void;
}

/** What is counted, line by line. */
export function SeriesEditor({ series, onChange }: SeriesEditorProps) {
  const put = (index: number, next: Series | null) => {
    const all = next === null ? series.filter((_, at) => at !== index) : series.map((each, at) => (at === index ? next : each));
    onChange(all.length > 0 ? all : undefined);
  };
  return (
    <div className="flex flex-col gap-3">
      {series.map((each, index) => (
        <SeriesRow key={index} series={each} letter={letterOf(index)} onChange={(next) => put(index, next)} onRemove={() => put(index, null)} />
      ))}
      <EventPicker
        spoken={series.length === 0 ? "Choose an event" : "Add an event"}
        onPick={(event) => onChange([...series, { event }])}
        trigger={
          <button type="button" className={cx(buttonClass(series.length === 0 ? "primary" : "plain"), "self-start")}>
            <Plus aria-hidden />
            {series.length === 0 ? "Choose an event" : "Add an event"}
          </button>
        }
      />
    </div>
  );
}

interface SeriesRowProps {
  series: Series;
  letter: string;
  onChange: (series: Series) => void;
  onRemove: () => void;
}

function SeriesRow({ series, letter, onChange, onRemove }: SeriesRowProps) {
  const math: Maths = series.math ?? "total";
  const events = series.event == null ? [] : [series.event];
  return (
    <div className="flex gap-2" role="group" aria-label={`Series ${letter}`}>
      <span aria-hidden className="grid size-6 shrink-0 translate-y-1 place-items-center rounded-[4px] bg-sunken text-12 font-medium text-soft">
        {letter}
      </span>
      <div className="flex min-w-0 flex-1 flex-col items-start gap-1.5">
        <div className="flex w-full items-center gap-1">
          <EventPicker
            spoken={`${eventLabel(series.event)}: event of series ${letter}`}
            value={series.event ?? null}
            onPick={(event) => onChange({ ...series, event })}
            trigger={
              <button
                type="button"
                className={cx(buttonClass(), "min-w-0 flex-1 shrink justify-between!")}
                onKeyDown={(event) => {
                  if (event.key === "Backspace" || event.key === "Delete") onRemove();
                }}
              >
                <span className="truncate" dir="auto">
                  {eventLabel(series.event)}
                </span>
                <ChevronDown className="text-faint" aria-hidden />
              </button>
            }
          />
          <IconButton label={`Remove series ${letter}`} onClick={onRemove}>
            <X />
          </IconButton>
        </div>
        <div className="flex w-full flex-wrap items-center gap-1.5">
          <Select label="Count" small value={math} options={MATH_OPTIONS} onChange={(next) => onChange(changeMath(series, next))} />
          {PROPERTY_MATHS.has(math) ? (
            <PropertyPicker
              label="Property"
              spoken={`${series.math_property ?? "Choose a property"}: property of series ${letter}`}
              events={events}
              onlyNumbers
              value={series.math_property == null ? undefined : { property: series.math_property }}
              onPick={({ property }) => onChange({ ...series, math_property: property })}
              trigger={
                <button type="button" className={cx(buttonClass("plain", true), "max-w-40 font-normal")}>
                  <span className="truncate">{series.math_property ?? "Choose a property"}</span>
                  <ChevronDown className="text-faint" aria-hidden />
                </button>
              }
            />
          ) : null}
        </div>
        <Filters filters={series.filters} events={events} onChange={(filters) => onChange(withFilters(series, filters))} />
      </div>
    </div>
  );
}

function withFilters(series: Series, filters: Series["filters"]): Series {
  const { filters: _, ...rest } = series;
  return filters === undefined ? rest : { ...rest, filters };
}
