import { getRouteApi } from "@tanstack/react-router";
import { split } from "~/features/dashboards/origin";
import { StartHere } from "~/features/insights/empty";
import { Filters } from "~/features/insights/Filters";
import { BuilderSection, InsightPage } from "~/features/insights/InsightPage";
import { MatchingEditor } from "~/features/insights/MatchingEditor";
import { NumberInput } from "~/features/insights/NumberInput";
import { putSearch } from "~/features/insights/search";
import { describeRetention, PERIODS, retentionQuery, USUAL_PERIODS, usualStart, type RetentionState } from "~/features/retention/document";
import { RetentionView } from "~/features/retention/RetentionView";
import { Select } from "~/ui/Select";

const route = getRouteApi("/signed-in/p/$projectId/retention");
const PERIOD_OPTIONS = PERIODS.map((value) => ({ value, label: `Each ${value}` }));
const MODE_OPTIONS = [
  { value: "recurring", label: "Whenever they start" },
  { value: "first_time", label: "First time only" },
] as const;
const COUNT_OPTIONS = [
  { value: "each", label: "Back in that period" },
  { value: "cumulative", label: "Back then or later" },
] as const;

export function RetentionPage() {
  const [state, origin] = split(route.useSearch());
  const navigate = route.useNavigate();
  const change = putSearch<RetentionState>((update) => void navigate({ search: update, replace: true, resetScroll: false }));
  const query = retentionQuery(state);
  const period = state.period ?? "day";
  return (
    <InsightPage
      kind="retention"
      title="Retention"
      words={describeRetention(state)}
      query={query}
      visualization="heatmap"
      origin={origin}
      range={{ ...state, date_from: state.date_from ?? usualStart(period) }}
      onRange={({ date_from, date_to }) => change({ date_from, date_to })}
      tools={<Select label="Period" value={period} options={PERIOD_OPTIONS} onChange={(next) => change({ period: next, date_from: undefined, date_to: undefined })} />}
      builder={
        <>
          <BuilderSection title="They start with">
            <MatchingEditor label="start" value={state.start} onChange={(start) => change({ start })} />
          </BuilderSection>
          <BuilderSection title="They come back to">
            <MatchingEditor label="return" value={state.return ?? state.start} onChange={(back) => change({ return: back })} />
          </BuilderSection>
          <BuilderSection title="Counting">
            <div className="flex flex-wrap items-center gap-2">
              <Select
                label="Which starts"
                value={state.mode ?? "recurring"}
                options={MODE_OPTIONS}
                onChange={(mode) => change({ mode: mode === "first_time" ? mode : undefined })}
              />
              <Select
                label="Which returns"
                value={state.cumulative ? "cumulative" : "each"}
                options={COUNT_OPTIONS}
                onChange={(value) => change({ cumulative: value === "cumulative" ? true : undefined })}
              />
              <span className="flex items-center gap-2">
                <NumberInput label="How many periods" value={state.periods ?? USUAL_PERIODS} least={1} most={100} onChange={(periods) => change({ periods })} />
                <span className="text-soft">{period}s</span>
              </span>
            </div>
          </BuilderSection>
          <BuilderSection title="Only where">
            <Filters filters={state.filters} events={[]} onChange={(filters) => change({ filters })} />
          </BuilderSection>
        </>
      }
      start={<StartHere title="Do people come back?" kind="retention" onPick={(event) => change({ start: { event } })} />}
      isEmpty={(data) => data.cohorts.every((cohort) => cohort.size === 0)}
      onWiden={() => change({ date_from: "-90d", date_to: undefined, period: "week" })}
      chart={(data, { label, onPeople }) => <RetentionView answer={data} label={label} onPeople={onPeople} />}
    />
  );
}
