import { getRouteApi } from "@tanstack/react-router";
import { AreaChart, BarChart3, Hash, LineChart, Table2 } from "lucide-react";
import { split } from "~/features/dashboards/origin";
import { BreakdownPicker } from "~/features/insights/BreakdownPicker";
import { INTERVALS, usualInterval } from "~/features/insights/document";
import { Filters } from "~/features/insights/Filters";
import { BuilderSection, InsightPage } from "~/features/insights/InsightPage";
import { StartHere } from "~/features/insights/empty";
import { putSearch } from "~/features/insights/search";
import { earlierLabel, INTERVAL_LABELS } from "~/features/insights/words";
import { Formula } from "~/features/trends/Formula";
import { countsPeople, describeTrends, trendsQuery, type ChartKind, type TrendsState } from "~/features/trends/document";
import { SeriesEditor } from "~/features/trends/SeriesEditor";
import { TrendsTable, TrendsView } from "~/features/trends/TrendsView";
import { capitalised } from "~/format/text";
import { Segments } from "~/ui/Segments";
import { Select } from "~/ui/Select";

const route = getRouteApi("/signed-in/p/$projectId/trends");

const CHART_OPTIONS: { value: ChartKind; label: string; icon: React.ReactNode }[] = [
  { value: "line", label: "Lines", icon: <LineChart aria-hidden /> },
  { value: "area", label: "Areas", icon: <AreaChart aria-hidden /> },
  { value: "bar", label: "Bars", icon: <BarChart3 aria-hidden /> },
  { value: "number", label: "Number", icon: <Hash aria-hidden /> },
  { value: "table", label: "Table", icon: <Table2 aria-hidden /> },
];
const COMPARE_OPTIONS = [
  { value: "none", label: "No comparison" },
  ...["previous_period", "-1y"].map(compareOption),
];

function compareOption(value: string) {
  return { value, label: capitalised(earlierLabel(value)) };
}

const SUM_OPTIONS = [
  { value: "each", label: "Each" },
  { value: "sum", label: "Added up" },
] as const;

export function TrendsPage() {
  const [state, origin] = split(route.useSearch());
  const navigate = route.useNavigate();
  const change = putSearch<TrendsState>((update) => void navigate({ search: update, replace: true, resetScroll: false }));
  const query = trendsQuery(state);
  const chart = state.chart ?? "line";
  const compare = state.compare ?? "none";
  const events = (state.series ?? []).flatMap((each) => (each.event == null ? [] : [each.event]));
  return (
    <InsightPage
      kind="trends"
      title="Trends"
      words={describeTrends(state)}
      query={query}
      visualization={chart}
      origin={origin}
      range={state}
      onRange={({ date_from, date_to }) => change({ date_from, date_to, interval: undefined })}
      tools={
        <>
          <Select
            label="Interval"
            value={state.interval ?? usualInterval(state)}
            options={INTERVALS.map((value) => ({ value, label: INTERVAL_LABELS[value] }))}
            onChange={(interval) => change({ interval })}
          />
          <Select
            label="Compare"
            value={compare}
            options={COMPARE_OPTIONS.some(({ value }) => value === compare) ? COMPARE_OPTIONS : [...COMPARE_OPTIONS, compareOption(compare)]}
            onChange={(value) => change({ compare: value === "none" ? undefined : value })}
          />
          <Select label="Chart" value={chart} options={CHART_OPTIONS} onChange={(value) => change({ chart: value === "line" ? undefined : value })} />
        </>
      }
      builder={
        <>
          <BuilderSection title="Events">
            <SeriesEditor series={state.series ?? []} onChange={(series) => change({ series })} />
          </BuilderSection>
          <BuilderSection title="Only where">
            <Filters filters={state.filters} events={events} onChange={(filters) => change({ filters })} />
          </BuilderSection>
          <BuilderSection title="By">
            <BreakdownPicker value={state.breakdown} events={events} onChange={(breakdown) => change({ breakdown })} />
          </BuilderSection>
          <BuilderSection title="Calculate">
            <div className="flex flex-col gap-3">
              <Formula value={state.formula} count={state.series?.length ?? 0} onChange={(formula) => change({ formula })} />
              <Segments
                label="Each bucket, or added up"
                value={state.cumulative ? "sum" : "each"}
                options={SUM_OPTIONS}
                onChange={(value) => change({ cumulative: value === "sum" ? true : undefined })}
              />
            </div>
          </BuilderSection>
        </>
      }
      start={<StartHere title="What happens, and how often?" kind="trends" onPick={(event) => change({ series: [{ event }] })} />}
      isEmpty={(data) => data.series.every((each) => each.data.every((value) => value === 0) && each.total === 0)}
      chart={(data, { label, onPeople }) => (
        <TrendsView answer={data} chart={chart} label={label} onPeople={countsPeople(state) ? onPeople : undefined} />
      )}
      table={
        chart === "table" ? undefined : (data, { label, onPeople }) => <TrendsTable answer={data} label={label} onPeople={countsPeople(state) ? onPeople : undefined} />
      }
    />
  );
}
