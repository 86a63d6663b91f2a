import { useMemo } from "react";
import type { Schemas } from "~/api/client";
import { BarChart } from "~/charts/BarChart";
import { BucketTable } from "~/charts/BucketTable";
import { DataTable, type Column } from "~/charts/DataTable";
import { TimeChart } from "~/charts/TimeChart";
import { FunnelChart, type FunnelGroup } from "~/features/funnels/FunnelChart";
import { valueName } from "~/features/trends/shape";
import { assignColours, colourOf } from "~/format/colours";
import { duration, exact, percent } from "~/format/numbers";
import { cx } from "~/ui/cx";

export type FunnelAnswer = Schemas["FunnelAnswer"];

const MOST_GROUPS = 8;

export function groupsOf(answer: FunnelAnswer): FunnelGroup[] {
  if (!answer.breakdown) return [{ key: "all", label: null, colour: "var(--series-1)", steps: answer.steps }];
  const values = answer.breakdown;
  const colours = assignColours(values.map((each) => each.value ?? ""));
  return values.map((each, index) => ({
    key: each.value ?? "\u0000",
    label: valueName(each.value),
    colour: colourOf(colours[index] ?? 0),
    steps: each.steps,
  }));
}

interface FunnelViewProps {
  answer: FunnelAnswer;
  label: string;
  height?: number;
  small?: boolean;
  /** Somebody wants to see who did a step. */
  onPick?: (index: number) => void;
}

export function FunnelView({ answer, label, height, small, onPick }: FunnelViewProps) {
  const last = answer.steps.at(-1);
  const room = height === undefined ? undefined : Math.max(90, height - 44);
  return (
    <div>
      {last ? (
        <p className={cx("mb-4 text-soft", small && "text-13")}>
          <strong className="figure text-20 font-bold text-text" data-testid="conversion">
            {percent(last.conversion)}
          </strong>{" "}
          of {exact(answer.steps[0]?.count)} people got to the last step
          {answer.steps.length === 2 && last.median_seconds !== null ? <>, half of them within {duration(last.median_seconds)}</> : null}.
        </p>
      ) : null}
      {answer.trend ? (
        <OverTime trend={answer.trend} label={label} small={small === true} height={room} />
      ) : answer.time_to_convert ? (
        <TimeToConvert times={answer.time_to_convert} label={label} height={room} />
      ) : (
        <Steps answer={answer} small={small === true} onPick={onPick} />
      )}
    </div>
  );
}

function Steps({ answer, small, onPick }: { answer: FunnelAnswer; small: boolean; onPick: ((index: number) => void) | undefined }) {
  const groups = useMemo(() => groupsOf(answer), [answer]);
  const shown = groups.slice(0, MOST_GROUPS);
  return (
    <>
      <FunnelChart steps={answer.steps} groups={shown} small={small} onPick={onPick} />
      {answer.breakdown ? (
        <ul aria-label="Legend" className="mt-3 flex flex-wrap gap-x-4 gap-y-1 text-13 text-soft">
          {shown.map((group) => (
            <li key={group.key} className="flex items-center gap-1.5">
              <span aria-hidden className="series-dot" style={{ background: group.colour }} />
              <span dir="auto">{group.label}</span>
              <span className="figure">{percent(group.steps.at(-1)?.conversion)}</span>
            </li>
          ))}
          {groups.length > shown.length ? <li>and {groups.length - shown.length} more in the table</li> : null}
        </ul>
      ) : null}
    </>
  );
}

const binName = (bin: Schemas["Bin"]) => `${duration(bin.from_seconds)} – ${duration(bin.to_seconds)}`;

function TimeToConvert({ times, label, height }: { times: Schemas["TimeToConvert"]; label: string; height: number | undefined }) {
  if (times.bins.length === 0) return <p className="py-10 text-center text-soft">Nobody got to the last step, so there is no time to show.</p>;
  return (
    <BarChart
      label={label}
      names={times.bins.map((bin) => duration(bin.from_seconds))}
      series={[{ key: "people", label: "People", colour: "var(--series-1)", values: times.bins.map(({ count }) => count) }]}
      describe={({ values }, index) => `${exact(values[index])} people took ${binName(times.bins[index] ?? { from_seconds: 0, to_seconds: 0, count: 0 })}`}
      caption={`from the first step to the last; half within ${duration(times.median_seconds)}, ${duration(times.avg_seconds)} on average`}
      testId="time-to-convert"
      height={height}
    />
  );
}

function OverTime({ trend, ...frame }: { trend: Schemas["FunnelTrend"]; label: string; small: boolean; height: number | undefined }) {
  const series = useMemo(() => [{ key: "conversion", label: "Went all the way", colour: "var(--series-1)", data: trend.conversion }], [trend]);
  return <TimeChart kind="line" over={trend} series={series} unit="share" {...frame} />;
}

interface Row {
  key: string;
  group: string | null;
  step: Schemas["FunnelStep"];
}

export function FunnelTable({ answer, label }: { answer: FunnelAnswer; label: string }) {
  if (answer.trend) return <TrendTable trend={answer.trend} label={label} />;
  if (answer.time_to_convert) return <TimesTable times={answer.time_to_convert} label={label} />;
  return <StepsTable answer={answer} label={label} />;
}

function TrendTable({ trend, label }: { trend: Schemas["FunnelTrend"]; label: string }) {
  const columns = [
    { key: "entered", label: "Began", data: trend.entered },
    { key: "converted", label: "Went all the way", data: trend.converted },
    { key: "conversion", label: "Share", data: trend.conversion, show: percent },
  ];
  return <BucketTable over={trend} columns={columns} label={label} />;
}

function TimesTable({ times, label }: { times: Schemas["TimeToConvert"]; label: string }) {
  const all = Math.max(1, times.bins.reduce((sum, { count }) => sum + count, 0));
  const columns: Column<Schemas["Bin"]>[] = [
    { key: "time", label: "Time", value: (row) => row.from_seconds, show: binName },
    { key: "count", label: "People", numeric: true, value: (row) => row.count, show: (row) => exact(row.count) },
    { key: "share", label: "Share", numeric: true, value: (row) => row.count / all, show: (row) => percent(row.count / all) },
  ];
  return <DataTable caption={`${label} Numbers as a table`} columns={columns} rows={times.bins} rowKey={(row) => String(row.from_seconds)} />;
}

function StepsTable({ answer, label }: { answer: FunnelAnswer; label: string }) {
  const rows = useMemo<Row[]>(
    () => groupsOf(answer).flatMap((group) => group.steps.map((step) => ({ key: `${group.key} ${step.index}`, group: group.label, step }))),
    [answer],
  );
  const columns: Column<Row>[] = [
    { key: "step", label: "Step", value: (row) => row.step.index, show: (row) => (
        <>
          {row.step.index + 1}. <bdi>{row.step.name}</bdi>
        </>
      ) },
    ...(answer.breakdown ? [{ key: "group", label: "Value", value: (row: Row) => row.group }] : []),
    { key: "count", label: "People", numeric: true, value: (row) => row.step.count, show: (row) => exact(row.step.count) },
    { key: "conversion", label: "Of the first step", numeric: true, value: (row) => row.step.conversion, show: (row) => percent(row.step.conversion) },
    {
      key: "step_conversion",
      label: "Of the step before",
      numeric: true,
      value: (row) => row.step.step_conversion,
      show: (row) => percent(row.step.step_conversion),
    },
    { key: "median", label: "Median time", numeric: true, value: (row) => row.step.median_seconds, show: (row) => duration(row.step.median_seconds) },
    { key: "avg", label: "Average time", numeric: true, value: (row) => row.step.avg_seconds, show: (row) => duration(row.step.avg_seconds) },
  ];
  return <DataTable caption={`${label} Numbers as a table`} columns={columns} rows={rows} rowKey={(row) => row.key} />;
}
