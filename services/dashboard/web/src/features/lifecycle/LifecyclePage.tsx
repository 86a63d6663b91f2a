import { getRouteApi } from "@tanstack/react-router";
import { split } from "~/features/dashboards/origin";
import { INTERVALS, usualInterval } from "~/features/insights/document";
import { StartHere } from "~/features/insights/empty";
import { BuilderSection, InsightPage } from "~/features/insights/InsightPage";
import { MatchingEditor } from "~/features/insights/MatchingEditor";
import { putSearch } from "~/features/insights/search";
import { INTERVAL_LABELS } from "~/features/insights/words";
import { describeLifecycle, lifecycleQuery, STATUSES, withStart, type LifecycleState } from "~/features/lifecycle/document";
import { LifecycleTable, LifecycleView } from "~/features/lifecycle/LifecycleView";
import { Select } from "~/ui/Select";

const route = getRouteApi("/signed-in/p/$projectId/lifecycle");
const INTERVAL_OPTIONS = INTERVALS.map((value) => ({ value, label: INTERVAL_LABELS[value] }));

export function LifecyclePage() {
  const [state, origin] = split(route.useSearch());
  const navigate = route.useNavigate();
  const change = putSearch<LifecycleState>((update) => void navigate({ search: update, replace: true, resetScroll: false }));
  const query = lifecycleQuery(state);
  const step = state.event === undefined ? undefined : { event: state.event, ...(state.filters ? { filters: state.filters } : {}) };
  return (
    <InsightPage
      kind="lifecycle"
      title="Lifecycle"
      words={describeLifecycle(state)}
      query={query}
      visualization="bar"
      origin={origin}
      range={withStart(state)}
      onRange={({ date_from, date_to }) => change({ date_from, date_to, interval: undefined })}
      tools={<Select label="Interval" value={state.interval ?? usualInterval(withStart(state))} options={INTERVAL_OPTIONS} onChange={(interval) => change({ interval })} />}
      builder={
        <>
          <BuilderSection title="Being active is">
            <MatchingEditor label="activity" value={step} onChange={(next) => change({ event: next.event ?? null, filters: next.filters })} />
          </BuilderSection>
          <BuilderSection title="What the words mean">
            <dl className="flex flex-col gap-1 text-13">
              {STATUSES.map((status) => (
                <div key={status.key} className="flex items-baseline gap-2">
                  <span aria-hidden className="series-dot" style={{ background: status.colour }} />
                  <dt className="font-medium">{status.label}</dt>
                  <dd className="text-soft">{status.means}</dd>
                </div>
              ))}
            </dl>
          </BuilderSection>
        </>
      }
      start={<StartHere title="Who is new, who stays, who leaves?" kind="lifecycle" onPick={(event) => change({ event })} />}
      isEmpty={(data) => STATUSES.every(({ key }) => data[key].every((value) => value === 0))}
      chart={(data, { label, onPeople }) => <LifecycleView answer={data} label={label} onPeople={onPeople} />}
      table={(data, { label, onPeople }) => <LifecycleTable answer={data} label={label} onPeople={onPeople} />}
    />
  );
}
