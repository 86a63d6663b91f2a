import { useId, useRef, useState } from "react";
import { compact } from "~/format/numbers";
import { useStops } from "~/ui/useStops";
import { useWidth } from "~/ui/useWidth";

export interface BarSeries {
  key: string;
  label: string;
  colour: string;
  values: readonly number[];
}

interface BarChartProps {
  /** The question in words, for whoever cannot see the chart; its numbers are in the table below. */
  label: string;
  /** What stands under each group of bars. */
  names: readonly string[];
  series: readonly BarSeries[];
  /** What is said about a bar where one points at it, or reaches it with keys. */
  describe: (series: BarSeries, index: number) => string;
  caption: string;
  height?: number | undefined;
  testId: string;
  /** Somebody wants to know more about a bar. */
  onPick: (index: number, key: string) => void;
}

const MOST_VALUES = 16;
/** How wide one of a name is. */
const LETTER = 7;

/** Bars side by side over named places. Arrow keys walk from bar to bar. */
export function BarChart({ label, names, series, describe, caption, height = 300, testId, onPick }: BarChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const keys = useStops(holder);
  const [said, setSaid] = useState<string | null>(null);
  const helpId = useId();
  const most = Math.max(1, ...series.flatMap(({ values }) => values));
  const width = useWidth(holder);
  const every = width === 0 ? names.length : Math.ceil((names.length * (Math.max(...names.map(({ length }) => length)) * LETTER + LETTER)) / width);
  const showsValues = series.length === 1 && names.length <= MOST_VALUES;
  return (
    <figure>
      <div
        ref={holder}
        role="group"
        aria-label={label}
        aria-describedby={helpId}
        className="flex items-end gap-1 border-b border-line-strong"
        style={{ height }}
        data-testid={testId}
        {...keys}
        onBlur={() => setSaid(null)}
        onMouseLeave={() => setSaid(null)}
      >
        {names.map((name, index) => (
          <div key={name} className="flex h-full flex-1 items-end justify-center gap-px">
            {series.map((each, place) => {
              const value = each.values[index] ?? 0;
              const words = describe(each, index);
              return value === 0 ? (
                <div key={each.key} className="max-w-14 flex-1" />
              ) : (
                <button
                  key={each.key}
                  type="button"
                  tabIndex={-1}
                  data-stop={index * series.length + place}
                  aria-label={words}
                  onClick={() => onPick(index, each.key)}
                  onFocus={() => setSaid(words)}
                  onMouseEnter={() => setSaid(words)}
                  className="relative max-w-14 flex-1 rounded-t-[3px] hover:brightness-110"
                  style={{ height: `max(2px, ${(value / most) * 92}%)`, background: each.colour }}
                >
                  {showsValues ? <span className="figure absolute inset-x-0 -top-5 text-center text-12 whitespace-nowrap text-soft">{compact(value)}</span> : null}
                </button>
              );
            })}
          </div>
        ))}
      </div>
      <p id={helpId} className="sr-only">
        Arrow keys walk from bar to bar. Enter shows who is behind one.
      </p>
      <div aria-hidden className="figure flex gap-1 pt-1 text-12 text-soft">
        {names.map((name, index) => (
          <span key={name} className="flex w-0 flex-1 justify-center whitespace-nowrap">
            {index % every === 0 ? name : ""}
          </span>
        ))}
      </div>
      <figcaption className="mt-1 flex flex-wrap justify-center gap-x-4 text-13 text-soft">
        <span className="w-full truncate text-center" aria-hidden={said !== null}>
          {said ?? caption}
        </span>
        {series.length > 1
          ? series.map((each) => (
              <span key={each.key} className="flex items-center gap-1.5">
                <span aria-hidden className="series-dot" style={{ background: each.colour }} />
                {each.label}
              </span>
            ))
          : null}
      </figcaption>
    </figure>
  );
}
