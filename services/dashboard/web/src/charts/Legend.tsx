import { useRef, useState } from "react";
import type { ChartSeries } from "~/charts/series";
import { cx } from "~/ui/cx";
import { useStops } from "~/ui/useStops";

interface LegendProps {
  series: readonly ChartSeries[];
  onFocus: (key: string | null) => void;
  most?: number;
  /** There is room for one line only: names are cut, until all are asked for. */
  oneLine?: boolean;
}

/** The names of the series; pointing at one, or reaching it with keys, makes it stand out, and pressing it keeps it so. */
export function Legend({ series, onFocus, most = 12, oneLine }: LegendProps) {
  const list = useRef<HTMLUListElement>(null);
  const keys = useStops(list);
  const [all, setAll] = useState(false);
  const [kept, setKept] = useState<string | null>(null);
  const shown = all ? series : series.slice(0, most);
  const leave = () => onFocus(kept);
  return (
    <ul ref={list} aria-label="Legend" className={cx("mt-2 flex gap-x-1 gap-y-0.5", (all || !oneLine) && "flex-wrap")} {...keys}>
      {shown.map((each, index) => (
        <li key={each.key} className="max-w-full min-w-0">
          <button
            type="button"
            tabIndex={-1}
            data-stop={index}
            aria-pressed={kept === each.key}
            onClick={() => setKept(kept === each.key ? null : each.key)}
            onMouseEnter={() => onFocus(each.key)}
            onMouseLeave={leave}
            onFocus={() => onFocus(each.key)}
            onBlur={leave}
            className="flex h-6 w-full max-w-56 items-center gap-1.5 rounded-control px-1.5 text-13 text-soft hover:bg-hover hover:text-text aria-pressed:bg-hover aria-pressed:text-text"
          >
            <span aria-hidden className={cx("series-dot", each.pale && "opacity-50")} style={{ background: each.colour }} />
            <span className="truncate" dir="auto">
              {each.label}
            </span>
          </button>
        </li>
      ))}
      {series.length > most ? (
        <li className="shrink-0">
          <button type="button" tabIndex={-1} data-stop={shown.length} onClick={() => setAll(!all)} className="h-6 rounded-control px-1.5 text-13 text-accent-text hover:bg-hover">
            {all ? "Fewer" : `${series.length - most} more`}
          </button>
        </li>
      ) : null}
    </ul>
  );
}
