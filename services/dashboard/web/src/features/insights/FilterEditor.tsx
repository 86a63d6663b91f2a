import { useQuery } from "@tanstack/react-query";
import { Check } from "lucide-react";
import { useState } from "react";
import { useProject } from "~/api/account";
import { OPERATORS, VALUELESS, type Filter, type Operator } from "~/features/insights/document";
import { personPropertyValuesOptions, propertyValuesOptions } from "~/features/insights/names";
import { changeOperator, isChoice, isRange, readValue, toggleValue, valuesOf } from "~/features/insights/values";
import { OPERATOR_LABELS, propertyLabel } from "~/features/insights/words";
import { compact } from "~/format/numbers";
import { Button } from "~/ui/Button";
import { cx } from "~/ui/cx";
import { inputClass } from "~/ui/Field";
import { Select } from "~/ui/Select";
import { Skeleton } from "~/ui/states";

const OPTIONS = OPERATORS.map((value) => ({ value, label: OPERATOR_LABELS[value] }));

interface FilterEditorProps {
  filter: Filter;
  events: readonly string[];
  onChange: (filter: Filter) => void;
  onDone: () => void;
}

export function FilterEditor({ filter, events, onChange, onDone }: FilterEditorProps) {
  const operator: Operator = filter.operator ?? "exact";
  return (
    <div className="w-72 max-w-full p-3">
      <div className="flex items-center gap-2">
        <h3 className="min-w-0 flex-1 truncate font-medium" dir="auto">
          {propertyLabel(filter)}
        </h3>
        <Select label="Comparison" small value={operator} options={OPTIONS} onChange={(next) => onChange(changeOperator(filter, next))} />
      </div>
      {VALUELESS.has(operator) || isChoice(operator) ? (
        <ValueChoice filter={filter} events={events} onChange={onChange} />
      ) : (
        <ValueFields key={operator} filter={filter} onChange={onChange} />
      )}
      <div className="mt-3 flex justify-end">
        <Button small kind="primary" onClick={onDone}>
          Done
        </Button>
      </div>
    </div>
  );
}

/** The values that events of late have, or the people who were seen last. */
function useKnownValues({ property, scope }: Filter, events: readonly string[], search: string) {
  const project = useProject();
  const ofPeople = scope === "person";
  const inEvents = useQuery({ ...propertyValuesOptions(project.id, property, events, search), enabled: !ofPeople });
  const inPeople = useQuery({ ...personPropertyValuesOptions(project.id, property, search), enabled: ofPeople });
  return ofPeople ? inPeople : inEvents;
}

/** Known values to tick, most frequent first, or any other that is typed. */
function ValueChoice({ filter, events, onChange }: Pick<FilterEditorProps, "filter" | "events" | "onChange">) {
  const [typed, setTyped] = useState("");
  const known = useKnownValues(filter, events, typed.trim());
  const chosen = valuesOf(filter);
  const listed = (known.data ?? []).filter(({ value }) => !chosen.includes(value)).slice(0, 50);
  const wanted = typed.trim();
  const toggle = (value: string) => onChange(toggleValue(filter, value));
  const rows = [
    ...chosen.map((value) => ({ value, note: "" })),
    ...(wanted && !chosen.includes(wanted) && !listed.some(({ value }) => value === wanted) ? [{ value: wanted, note: "typed" }] : []),
    ...listed.map(({ value, count }) => ({ value, note: compact(count) })),
  ];
  return (
    <div className="mt-2">
      <input
        type="text"
        autoFocus
        aria-label="Value"
        placeholder="Type a value"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && wanted) {
            toggle(wanted);
            setTyped("");
          }
        }}
        className={inputClass}
      />
      <div role="group" aria-label="Values" className="mt-1 max-h-56 overflow-y-auto">
        {rows.map(({ value, note }) => {
          const isChosen = chosen.includes(value);
          return (
            <button
              key={value}
              type="button"
              aria-pressed={isChosen}
              onClick={() => toggle(value)}
              className="flex min-h-8 w-full items-center gap-2 rounded-control px-2 py-1 text-start hover:bg-hover"
            >
              <span aria-hidden className={cx("grid size-4 shrink-0 place-items-center rounded-[4px] border", isChosen ? "border-accent bg-accent text-on-accent" : "border-line-strong")}>
                {isChosen ? <Check className="size-3" /> : null}
              </span>
              <span className="min-w-0 flex-1 truncate" dir="auto">
                {value}
              </span>
              <span className="figure text-12 text-faint">{note}</span>
            </button>
          );
        })}
        {known.isPending ? <Skeleton className="m-2 h-4" /> : null}
        {!known.isPending && rows.length === 0 ? <p className="px-2 py-2 text-13 text-soft">{filter.scope === "person" ? "Nobody who was seen of late" : "No event of late"} has a value here. Type one and press Enter.</p> : null}
      </div>
    </div>
  );
}

/** One field, or two for a range. What is not yet a value changes nothing. */
function ValueFields({ filter, onChange }: Pick<FilterEditorProps, "filter" | "onChange">) {
  const operator = filter.operator ?? "exact";
  const given = valuesOf(filter);
  const [texts, setTexts] = useState(isRange(operator) ? [given[0] ?? "", given[1] ?? ""] : [given[0] ?? ""]);
  const put = (index: number, text: string) => {
    const next = texts.map((each, at) => (at === index ? text : each));
    setTexts(next);
    const value = readValue(operator, next);
    if (value !== undefined) onChange({ ...filter, value });
  };
  const labels = isRange(operator) ? ["From", "To"] : ["Value"];
  const placeholder = operator.startsWith("is_date") ? "2026-11-01 or -7d" : isRange(operator) || /^[gl]t/.test(operator) ? "0" : "text";
  return (
    <div className="mt-2 flex gap-2">
      {texts.map((text, index) => (
        <input
          key={index}
          autoFocus={index === 0}
          type="text"
          aria-label={labels[index]}
          placeholder={placeholder}
          value={text}
          onChange={(event) => put(index, event.target.value)}
          className={inputClass}
        />
      ))}
    </div>
  );
}
