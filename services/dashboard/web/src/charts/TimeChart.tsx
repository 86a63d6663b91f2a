import { useEffect, useId, useMemo, useRef, useState } from "react";
import type uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { isStillOpen, type Bucketed } from "~/charts/buckets";
import { makePlot, type PlotKind } from "~/charts/plot";
import { pickSeries, spread, type ChartSeries } from "~/charts/series";
import { makeTicks } from "~/charts/ticks";
import { Hover } from "~/charts/Hover";
import { Legend } from "~/charts/Legend";
import { describeLines } from "~/charts/words";
import { compact, exact, percent } from "~/format/numbers";
import { bucketName } from "~/format/times";
import { useColourScheme } from "~/frame/theme";
import { cx } from "~/ui/cx";
import { useWidth } from "~/ui/useWidth";

interface TimeChartProps {
  kind: PlotKind;
  over: Bucketed;
  series: readonly ChartSeries[];
  /** The question in words, for whoever cannot see the chart; its numbers are in the table below. */
  label: string;
  /** What the values are; shares are from 0 to 1. */
  unit?: keyof typeof UNITS;
  /** Somebody points at a bucket and wants to know more: of this series, where one is the nearest. */
  onPick?: ((index: number, key: string | null) => void) | undefined;
  height?: number | undefined;
  small?: boolean | undefined;
}

interface EndLabel {
  series: ChartSeries;
  top: number;
}

const UNITS = { count: { axis: compact, hover: exact }, share: { axis: (share: number) => percent(share), hover: percent } };
const MOST_LABELS = 5;
const LABEL_WIDTH = 128;
/** About how wide a name in a legend is. */
const NAME_WIDTH = 120;

export function TimeChart({ kind, over, series, label, unit = "count", onPick, height = 340, small }: TimeChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const focused = useRef<string | null>(null);
  const width = useWidth(holder);
  const [hover, setHover] = useState<{ index: number; left: number } | null>(null);
  const [labels, setLabels] = useState<EndLabel[]>([]);
  const [pointed, setFocus] = useState<string | null>(null);
  // A name that was kept in front may be gone with another answer.
  const focus = series.some(({ key }) => key === pointed) ? pointed : null;
  const scheme = useColourScheme();
  const helpId = useId();
  const number = UNITS[unit].axis;

  const { interval, timezone: zone } = over;
  const buckets = useMemo(() => over.buckets.map((text) => new Date(text)), [over]);
  const isOpen = isStillOpen(buckets, interval, new Date());

  const direct = kind === "line" && !small && width >= 560 && series.length > 1 && series.length <= MOST_LABELS;
  const end = direct ? LABEL_WIDTH : 16;

  const words = useMemo(() => {
    const closed = buckets.length - (isOpen && buckets.length > 1 ? 1 : 0);
    const names = buckets.slice(0, closed).map((bucket) => bucketName(bucket, interval, zone));
    return describeLines(series.map(({ label: name, data }) => ({ label: name, data: data.slice(0, closed) })), names, UNITS[unit].hover);
  }, [series, buckets, isOpen, interval, zone, unit]);
  const ticks = useMemo(() => makeTicks(buckets, interval, zone), [buckets, interval, zone]);

  const isDrawable = width > 0;
  useEffect(() => {
    const element = holder.current;
    if (element === null || !isDrawable) return;
    const made = makePlot(element, {
      kind,
      series,
      ticks,
      number,
      isCount: unit === "count",
      isOpen,
      width: element.clientWidth,
      height,
      end,
      focus: () => focused.current,
      onHover: (index, left) => setHover(index === null ? null : { index, left }),
      onDrawn: (drawn) => {
        if (direct) setLabels(placeLabels(drawn, series, height));
      },
    });
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = null;
    };
  }, [kind, series, ticks, number, unit, isOpen, height, end, direct, isDrawable, scheme]);

  useEffect(() => {
    if (width > 0) plot.current?.setSize({ width, height });
  }, [width, height]);

  useEffect(() => {
    focused.current = focus;
    plot.current?.redraw(false);
  }, [focus]);

  const step = (by: number) => {
    const index = Math.min(buckets.length - 1, Math.max(0, (hover?.index ?? (by > 0 ? -1 : buckets.length)) + by));
    const drawn = plot.current;
    if (drawn === null) return;
    const left = drawn.valToPos(index, "x");
    drawn.setCursor({ left, top: 10 });
    setHover({ index, left: left + inset(drawn) });
  };

  return (
    <div>
      <div className="relative" onMouseLeave={() => setHover(null)}>
        {/* Arrow keys walk from bucket to bucket; the numbers are spoken as they change. */}
        <div
          role="img"
          aria-label={label}
          tabIndex={0}
          ref={holder}
          style={{ height }}
          aria-describedby={helpId}
          className={cx("rounded-control", onPick && "[&_.u-over]:cursor-pointer")}
          data-testid="chart"
          onClick={() => {
            const drawn = plot.current;
            const index = drawn?.cursor.idx;
            if (onPick === undefined || drawn === null || index == null || (drawn.cursor.left ?? -1) < 0) return;
            const { left = 0, top = 0 } = drawn.cursor;
            // Bars of an earlier range are the left ones.
            const isBefore = left < drawn.valToPos(index, "x");
            const beside = kind === "bar" && series.some(({ pale }) => pale) ? series.filter(({ pale = false }) => pale === isBefore) : series;
            onPick(index, pickSeries(beside, index, drawn.posToVal(top, "y"), kind !== "line"));
          }}
          onBlur={() => setHover(null)}
          onKeyDown={(event) => {
            if (event.key === "ArrowRight") step(1);
            else if (event.key === "ArrowLeft") step(-1);
            else if (event.key === "Escape") setHover(null);
            else if (event.key === "Enter" && hover !== null && onPick) onPick(hover.index, focus);
            else return;
            event.preventDefault();
          }}
        />
        <p id={helpId} className="sr-only">
          {words} Arrow keys walk from bucket to bucket.{onPick ? " Enter shows who is behind one." : ""}
        </p>
        {(direct ? labels : []).map(({ series: each, top }) => (
          <span
            key={each.key}
            aria-hidden
            className="pointer-events-none absolute right-0 truncate text-left text-12 font-medium"
            style={{ top, width: LABEL_WIDTH - 8, color: `color-mix(in oklch, ${each.colour} 70%, var(--text))` }}
            dir="auto"
          >
            {each.label}
          </span>
        ))}
        <div role="status">
          {hover !== null && buckets[hover.index] ? (
            <Hover
              title={bucketName(buckets[hover.index] ?? new Date(0), interval, zone)}
              note={isOpen && hover.index === buckets.length - 1 ? "not over yet" : undefined}
              series={series}
              index={hover.index}
              left={hover.left}
              width={width}
              focus={focus}
              number={UNITS[unit].hover}
              hint={onPick ? "Click for the people" : undefined}
            />
          ) : null}
        </div>
      </div>
      {series.length > 1 && !direct ? <Legend series={series} onFocus={setFocus} {...(small ? { most: Math.min(4, Math.max(1, Math.floor(width / NAME_WIDTH))), oneLine: true } : {})} /> : null}
    </div>
  );
}

/** How far the plot begins from the left of its holder. */
function inset(plot: uPlot): number {
  return plot.bbox.left / devicePixelRatio;
}

function placeLabels(plot: uPlot, series: readonly ChartSeries[], height: number): EndLabel[] {
  const tops = series.map(({ data }) => plot.valToPos(data.at(-1) ?? 0, "y") + plot.bbox.top / devicePixelRatio - 8);
  const placed = spread(tops, 16, height - 44);
  return series.map((each, index) => ({ series: each, top: placed[index] ?? 0 }));
}

