import { CalendarDays } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { isDate, type Range } from "~/features/insights/document";
import { findPreset, PRESETS, rangeLabel } from "~/features/insights/words";
import { Button, buttonClass } from "~/ui/Button";
import { cx } from "~/ui/cx";
import { Field } from "~/ui/Field";
import { Popover } from "~/ui/Popover";

/** Presets, or any two dates that are typed. */
export function RangePicker({ range, onChange, label }: { range: Range; onChange: (range: Range) => void; label?: string }) {
  const [open, setOpen] = useState(false);
  const shown = label ?? rangeLabel(range);
  const chosen = findPreset(range);
  return (
    <Popover
      label="Date range"
      open={open}
      onOpenChange={setOpen}
      trigger={
        <button type="button" className={buttonClass()} aria-label={`Date range: ${shown}`}>
          <CalendarDays aria-hidden />
          {shown}
        </button>
      }
    >
      <div className="flex flex-col sm:flex-row">
        <ul className="grid grid-cols-2 gap-px p-2 sm:w-44 sm:grid-cols-1">
          {PRESETS.map((preset) => (
            <li key={preset.label}>
              <button
                type="button"
                aria-pressed={preset === chosen && label === undefined}
                onClick={() => {
                  onChange(preset.range);
                  setOpen(false);
                }}
                className={cx(
                  "h-7 w-full rounded-control px-2 text-start text-13 hover:bg-hover",
                  preset === chosen && label === undefined && "bg-accent-soft font-medium text-accent-text",
                )}
              >
                {preset.label}
              </button>
            </li>
          ))}
        </ul>
        <Typed
          range={range}
          onChange={(next) => {
            onChange(next);
            setOpen(false);
          }}
        />
      </div>
    </Popover>
  );
}

function Typed({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  const [from, setFrom] = useState(range.date_from ?? "-7d");
  const [to, setTo] = useState(range.date_to ?? "");
  const [tried, setTried] = useState(false);
  const wrong = (text: string) => (tried && !isDate(text) ? "A date like 2026-11-01, or -7d" : undefined);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    const end = to.trim();
    if (isDate(from.trim()) && (end === "" || isDate(end))) onChange({ date_from: from.trim(), ...(end ? { date_to: end } : {}) });
  };
  return (
    <form onSubmit={submit} className="flex w-60 flex-col gap-3 border-line p-3 max-sm:w-full max-sm:border-t sm:border-s">
      <Field label="From" value={from} onChange={(event) => setFrom(event.target.value)} error={wrong(from.trim())} />
      <Field label="To" value={to} placeholder="now" onChange={(event) => setTo(event.target.value)} error={to.trim() ? wrong(to.trim()) : undefined} />
      <p className="text-12 text-soft">Dates as 2026-11-01, or back from now: -7d, -3w, -2m, -1y. mStart is the first of this month.</p>
      <Button type="submit" kind="primary">
        Apply
      </Button>
    </form>
  );
}
