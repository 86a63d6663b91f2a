import type { ChartSeries } from "~/charts/series";
import { change } from "~/format/numbers";
import { cx } from "~/ui/cx";

interface HoverProps {
  title: string;
  note: string | undefined;
  series: readonly ChartSeries[];
  index: number;
  left: number;
  width: number;
  focus: string | null;
  number: (value: number) => string;
  hint: string | undefined;
}

const MOST_ROWS = 12;

/** All series of one bucket, largest first, exact, with the change from the bucket before. */
export function Hover({ title, note, series, index, left, width, focus, number, hint }: HoverProps) {
  const rows = series
    .map((each) => ({ each, value: each.data[index] ?? 0, before: index > 0 ? each.data[index - 1] : undefined }))
    .sort((one, other) => other.value - one.value);
  const shown = rows.slice(0, MOST_ROWS);
  const onTheLeft = left > width / 2;
  const room = (onTheLeft ? left : width - left) - 14;
  return (
    <div
      className="floating pointer-events-none absolute top-2 z-10 min-w-36 px-3 py-2 text-13"
      style={{ maxWidth: Math.min(288, Math.max(144, room)), ...(onTheLeft ? { right: width - left + 14 } : { left: left + 14 }) }}
    >
      <p className="mb-1 font-medium">
        {title}
        {note ? <span className="font-normal text-soft"> · {note}</span> : null}
      </p>
      <ul className="flex flex-col gap-0.5">
        {shown.map(({ each, value, before }) => {
          const changed = before === undefined ? null : change(value, before);
          return (
            <li key={each.key} className={cx("flex items-center gap-2", focus !== null && focus !== each.key && "opacity-40")}>
              <span className={cx("series-dot", each.pale && "opacity-50")} style={{ background: each.colour }} />
              <span className="min-w-0 flex-1 truncate" dir="auto">
                {each.label}
              </span>
              <span className="figure font-medium">{number(value)}</span>
              {room < 200 ? null : <span className="figure w-14 text-end text-12 text-soft">{changed ?? ""}</span>}
            </li>
          );
        })}
      </ul>
      {rows.length > shown.length ? <p className="mt-1 text-12 text-soft">and {rows.length - shown.length} smaller ones</p> : null}
      {hint ? <p className="mt-1 text-12 text-faint">{hint}</p> : null}
    </div>
  );
}
