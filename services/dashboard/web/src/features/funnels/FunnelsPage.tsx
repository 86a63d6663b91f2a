import { getRouteApi } from "@tanstack/react-router";
import { split } from "~/features/dashboards/origin";
import { BreakdownEditor } from "~/features/funnels/BreakdownEditor";
import { ExclusionsEditor } from "~/features/funnels/ExclusionsEditor";
import { StepsEditor } from "~/features/funnels/StepsEditor";
import { FunnelTable, FunnelView } from "~/features/funnels/FunnelView";
import { describeFunnel, funnelQuery, USUAL_WINDOW, WINDOW_UNITS, type FunnelsState } from "~/features/funnels/document";
import { INTERVALS, usualInterval } from "~/features/insights/document";
import { StartHere } from "~/features/insights/empty";
import { Filters } from "~/features/insights/Filters";
import { BuilderSection, InsightPage } from "~/features/insights/InsightPage";
import { NumberInput } from "~/features/insights/NumberInput";
import { putSearch } from "~/features/insights/search";
import { INTERVAL_LABELS } from "~/features/insights/words";
import { Segments } from "~/ui/Segments";
import { Select } from "~/ui/Select";

const route = getRouteApi("/signed-in/p/$projectId/funnels");
const UNIT_OPTIONS = WINDOW_UNITS.map((value) => ({ value, label: `${value}s` }));
const INTERVAL_OPTIONS = INTERVALS.map((value) => ({ value, label: INTERVAL_LABELS[value] }));
const ORDER_OPTIONS = [
  { value: "ordered", label: "In this order" },
  { value: "strict", label: "Directly after one another" },
  { value: "unordered", label: "In any order" },
] as const;
const VIEW_OPTIONS = [
  { value: "steps", label: "Steps" },
  { value: "time_to_convert", label: "Time to convert" },
  { value: "trend", label: "Over time" },
] as const;

export function FunnelsPage() {
  const [state, origin] = split(route.useSearch());
  const navigate = route.useNavigate();
  const change = putSearch<FunnelsState>((update) => void navigate({ search: update, replace: true, resetScroll: false }));
  const query = funnelQuery(state);
  const window = state.window ?? USUAL_WINDOW;
  const steps = state.steps ?? [];
  const order = state.order ?? "ordered";
  const view = state.view ?? "steps";
  const events = steps.flatMap((step) => (step.event == null ? [] : [step.event]));
  return (
    <InsightPage
      kind="funnels"
      title="Funnels"
      words={describeFunnel(state)}
      query={query}
      visualization={view}
      origin={origin}
      range={state}
      onRange={({ date_from, date_to }) => change({ date_from, date_to, interval: undefined })}
      tools={
        <>
          <Segments label="View" value={view} options={VIEW_OPTIONS} onChange={(next) => change({ view: next === "steps" ? undefined : next })} />
          {view === "trend" ? (
            <Select label="Interval" value={state.interval ?? usualInterval(state)} options={INTERVAL_OPTIONS} onChange={(interval) => change({ interval })} />
          ) : null}
        </>
      }
      builder={
        <>
          <BuilderSection title="Steps">
            <StepsEditor steps={steps} onChange={(next) => change({ steps: next })} />
          </BuilderSection>
          <BuilderSection title="Within">
            <div className="flex flex-wrap items-center gap-2">
              <NumberInput label="Length of the window" value={window.value} least={1} most={10_000} onChange={(value) => change({ window: { ...window, value } })} />
              <Select label="Unit of the window" value={window.unit} options={UNIT_OPTIONS} onChange={(unit) => change({ window: { ...window, unit } })} />
              <Select label="Order" value={order} options={ORDER_OPTIONS} onChange={(next) => change({ order: next === "ordered" ? undefined : next })} />
            </div>
          </BuilderSection>
          {steps.length < 2 ? null : (
            <BuilderSection title="Without in between">
              <ExclusionsEditor exclusions={state.exclusions} steps={steps} order={order} onChange={(exclusions) => change({ exclusions })} />
            </BuilderSection>
          )}
          <BuilderSection title="Only where">
            <Filters filters={state.filters} events={events} onChange={(filters) => change({ filters })} />
          </BuilderSection>
          <BuilderSection title="By">
            {view === "steps" ? (
              <BreakdownEditor breakdown={state.breakdown} steps={steps} order={order} events={events} onChange={(breakdown) => change({ breakdown })} />
            ) : (
              <p className="text-13 text-soft">The view “Steps” can be broken down.</p>
            )}
          </BuilderSection>
        </>
      }
      start={
        <StartHere
          title={steps.length === 0 ? "How many get from the first step to the last?" : "And then?"}
          kind="funnels"
          onPick={(event) => change({ steps: [...steps, { event }] })}
        />
      }
      isEmpty={(data) => (data.steps[0]?.count ?? 0) === 0}
      chart={(data, { label, onPeople }) => (
        <FunnelView answer={data} label={label} onPeople={onPeople} />
      )}
      table={(data, { label, onPeople }) => <FunnelTable answer={data} label={label} onPeople={onPeople} />}
    />
  );
}
