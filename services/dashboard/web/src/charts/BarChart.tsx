import { compact } from "~/format/numbers";
import { cx } from "~/ui/cx";

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
  /** What is said about a bar where one points at it. */
  describe: (series: BarSeries, index: number) => string;
  caption: string;
  height?: number | undefined;
  testId: string;
  /** Somebody points at a bar and wants to know more. For keys, the table below has the same. */
  onPick?: ((index: number, key: string) => void) | undefined;
}

const MOST_NAMES = 16;

/** Bars side by side over named places. */
export function BarChart({ label, names, series, describe, caption, height = 300, testId, onPick }: BarChartProps) {
  const most = Math.max(1, ...series.flatMap(({ values }) => values));
  const every = Math.ceil((names.length * Math.max(1, ...names.map(({ length }) => length / 5))) / MOST_NAMES);
  const showsValues = series.length === 1 && names.length <= MOST_NAMES;
  return (
    <figure>
      <div role="img" aria-label={label} className="flex items-end gap-1 border-b border-line-strong" style={{ height }} data-testid={testId}>
        {names.map((name, index) => (
          <div key={name} className="flex h-full flex-1 items-end justify-center gap-px">
            {series.map((each) => {
              const value = each.values[index] ?? 0;
              return (
                <div
                  key={each.key}
                  title={describe(each, index)}
                  className={cx("relative max-w-14 flex-1 rounded-t-[3px]", onPick && "cursor-pointer hover:brightness-110")}
                  {...(onPick && value > 0 ? { onClick: () => onPick(index, each.key) } : {})}
                  style={{ height: value === 0 ? 0 : `max(2px, ${(value / most) * 92}%)`, background: each.colour }}
                >
                  {showsValues && value > 0 ? (
                    <span className="figure absolute inset-x-0 -top-5 text-center text-12 whitespace-nowrap text-soft">{compact(value)}</span>
                  ) : null}
                </div>
              );
            })}
          </div>
        ))}
      </div>
      <div aria-hidden className="figure flex gap-1 pt-1 text-12 text-soft">
        {names.map((name, index) => (
          <span key={name} className="flex w-0 flex-1 justify-center whitespace-nowrap">
            {index % every === 0 ? name : ""}
          </span>
        ))}
      </div>
      <figcaption className="mt-1 flex flex-wrap justify-center gap-x-4 text-13 text-soft">
        {series.length > 1
          ? series.map((each) => (
              <span key={each.key} className="flex items-center gap-1.5">
                <span aria-hidden className="series-dot" style={{ background: each.colour }} />
                {each.label}
              </span>
            ))
          : caption}
      </figcaption>
    </figure>
  );
}
