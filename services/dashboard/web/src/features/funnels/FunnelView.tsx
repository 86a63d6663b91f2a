import { useMemo } from "react";
import type { Schemas } from "~/api/client";
import { BarChart } from "~/charts/BarChart";
import { BucketTable } from "~/charts/BucketTable";
import { DataTable, type Column } from "~/charts/DataTable";
import { TimeChart } from "~/charts/TimeChart";
import { behindBin, behindEntries, behindStep, binName } from "~/features/funnels/behind";
import { FunnelChart, type FunnelGroup } from "~/features/funnels/FunnelChart";
import type { OnPeople } from "~/features/people/behind";
import { valueName } from "~/features/trends/shape";
import { assignColours, colourOf } from "~/format/colours";
import { counted, duration, exact, percent } from "~/format/numbers";
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
    value: each.value,
    colour: colourOf(colours[index] ?? 0),
    steps: each.steps,
  }));
}

interface FunnelViewProps {
  answer: FunnelAnswer;
  label: string;
  height?: number;
  small?: boolean;
  onPeople: OnPeople;
}

export function FunnelView({ answer, label, height, small, onPeople }: FunnelViewProps) {
  const last = answer.steps.at(-1);
  const room = height === undefined ? undefined : Math.max(90, height - 44);
  return (
    <div>
      {last ? (
        <p className={cx("mb-4 text-soft", small && "text-13")}>
          <strong className="figure text-20 font-bold text-text" data-testid="conversion">
            {percent(last.conversion)}
          </strong>{" "}
          of {counted(answer.steps[0]?.count, "person", "people")} got to the last step
          {answer.steps.length === 2 && last.median_seconds !== null ? <>, half of them within {duration(last.median_seconds)}</> : null}.
        </p>
      ) : null}
      {answer.trend ? (
        <OverTime trend={answer.trend} label={label} small={small === true} height={room} onPeople={onPeople} />
      ) : answer.time_to_convert ? (
        <TimeToConvert times={answer.time_to_convert} label={label} height={room && Math.max(90, room - 48)} onPeople={onPeople} />
      ) : (
        <Steps answer={answer} small={small === true} height={room} onPeople={onPeople} />
      )}
    </div>
  );
}

interface StepsProps {
  answer: FunnelAnswer;
  small: boolean;
  height: number | undefined;
  onPeople: OnPeople;
}

function Steps({ answer, small, height, onPeople }: StepsProps) {
  const groups = useMemo(() => groupsOf(answer), [answer]);
  const shown = groups.slice(0, MOST_GROUPS);
  const below = answer.breakdown ? 100 : 76;
  return (
    <>
      <FunnelChart steps={answer.steps} groups={shown} small={small} height={height === undefined ? 240 : Math.max(110, height - below)} onPeople={onPeople} />
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

interface TimeToConvertProps {
  times: Schemas["TimeToConvert"];
  label: string;
  height?: number;
  onPeople: OnPeople;
}

function TimeToConvert({ times, label, height, onPeople }: TimeToConvertProps) {
  if (times.bins.length === 0) return <p className="py-10 text-center text-soft">Nobody got to the last step, so there is no time to show.</p>;
  return (
    <BarChart
      label={label}
      names={times.bins.map((bin) => duration(bin.from_seconds))}
      series={[{ key: "people", label: "People", colour: "var(--series-1)", values: times.bins.map(({ count }) => count) }]}
      describe={({ values }, index) => `${counted(values[index], "person", "people")} took ${binName(times.bins[index] ?? { from_seconds: 0, to_seconds: 0, count: 0 })}`}
      caption={`from the first step to the last; half within ${duration(times.median_seconds)}, ${duration(times.avg_seconds)} on average`}
      testId="time-to-convert"
      height={height}
      onPick={(place) => onPeople(times.bins.slice(place, place + 1).map((bin) => behindBin(bin, place)))}
    />
  );
}

interface OverTimeProps {
  trend: Schemas["FunnelTrend"];
  label: string;
  small: boolean;
  height: number | undefined;
  onPeople: OnPeople;
}

function OverTime({ trend, onPeople, ...frame }: OverTimeProps) {
  const series = useMemo(() => [{ key: "conversion", label: "Went all the way", colour: "var(--series-1)", data: trend.conversion }], [trend]);
  const pick = (index: number) => onPeople(behindEntries(trend, index, "converted"));
  return <TimeChart kind="line" over={trend} series={series} unit="share" onPick={pick} {...frame} />;
}

interface Row {
  key: string;
  group: FunnelGroup;
  step: Schemas["FunnelStep"];
  before: Schemas["FunnelStep"] | undefined;
}

export function FunnelTable({ answer, label, onPeople }: { answer: FunnelAnswer; label: string; onPeople: OnPeople }) {
  if (answer.trend) return <TrendTable trend={answer.trend} label={label} onPeople={onPeople} />;
  if (answer.time_to_convert) return <TimesTable times={answer.time_to_convert} label={label} onPeople={onPeople} />;
  return <StepsTable answer={answer} label={label} onPeople={onPeople} />;
}

function TrendTable({ trend, label, onPeople }: { trend: Schemas["FunnelTrend"]; label: string; onPeople: OnPeople }) {
  const people = (outcome: "entered" | "converted") => (index: number) => onPeople(behindEntries(trend, index, outcome));
  const columns = [
    { key: "entered", label: "Began", data: trend.entered, onPick: people("entered") },
    { key: "converted", label: "Went all the way", data: trend.converted, onPick: people("converted") },
    { key: "conversion", label: "Share", data: trend.conversion, show: (share: number) => percent(share) },
  ];
  return <BucketTable over={trend} columns={columns} label={label} />;
}

function TimesTable({ times, label, onPeople }: { times: Schemas["TimeToConvert"]; label: string; onPeople: OnPeople }) {
  const all = Math.max(1, times.bins.reduce((sum, { count }) => sum + count, 0));
  const columns: Column<Schemas["Bin"]>[] = [
    { key: "time", label: "Time", value: (row) => row.from_seconds, show: binName },
    {
      key: "count",
      label: "People",
      numeric: true,
      value: (row) => row.count,
      show: (row) => exact(row.count),
      onPick: (row) => (row.count > 0 ? () => onPeople([behindBin(row, times.bins.indexOf(row))]) : undefined),
    },
    { key: "share", label: "Share", numeric: true, value: (row) => row.count / all, show: (row) => percent(row.count / all) },
  ];
  return <DataTable caption={`${label} Numbers as a table`} columns={columns} rows={times.bins} rowKey={(row) => String(row.from_seconds)} />;
}

function StepsTable({ answer, label, onPeople }: { answer: FunnelAnswer; label: string; onPeople: OnPeople }) {
  const rows = useMemo<Row[]>(
    () => groupsOf(answer).flatMap((group) => group.steps.map((step, index) => ({ key: `${group.key} ${step.index}`, group, step, before: group.steps[index - 1] }))),
    [answer],
  );
  const lost = ({ step, before }: Row) => (before === undefined ? null : before.count - step.count);
  const columns: Column<Row>[] = [
    { key: "step", label: "Step", value: (row) => row.step.index, show: (row) => (
        <>
          {row.step.index + 1}. <bdi>{row.step.name}</bdi>
        </>
      ) },
    ...(answer.breakdown ? [{ key: "group", label: "Value", value: (row: Row) => row.group.label }] : []),
    {
      key: "count",
      label: "People",
      numeric: true,
      value: (row) => row.step.count,
      show: ({ step }) => exact(step.count),
      onPick: ({ step, group }) => (step.count > 0 ? () => onPeople([behindStep(step, "reached", group)]) : undefined),
    },
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
    {
      key: "lost",
      label: "Lost before",
      numeric: true,
      value: lost,
      show: (row) => (row.before ? exact(lost(row)) : "–"),
      onPick: (row) => {
        const { before, group } = row;
        return before && lost(row) ? () => onPeople([behindStep(before, "dropped", group)]) : undefined;
      },
    },
  ];
  return <DataTable caption={`${label} Numbers as a table`} columns={columns} rows={rows} rowKey={(row) => row.key} />;
}
