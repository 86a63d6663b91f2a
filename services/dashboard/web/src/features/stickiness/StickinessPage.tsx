import { getRouteApi } from "@tanstack/react-router";
import { split } from "~/features/dashboards/origin";
import { StartHere } from "~/features/insights/empty";
import { Filters } from "~/features/insights/Filters";
import { BuilderSection, InsightPage } from "~/features/insights/InsightPage";
import { MatchingEditor } from "~/features/insights/MatchingEditor";
import { putSearch } from "~/features/insights/search";
import { describeStickiness, STICKY_INTERVALS, stickinessQuery, type StickinessState } from "~/features/stickiness/document";
import { StickinessTable, StickinessView } from "~/features/stickiness/StickinessView";
import { Segments } from "~/ui/Segments";
import { Select } from "~/ui/Select";

const route = getRouteApi("/signed-in/p/$projectId/stickiness");
const INTERVAL_OPTIONS = STICKY_INTERVALS.map((value) => ({ value, label: `By ${value}s` }));
const COUNT_OPTIONS = [
  { value: "exactly", label: "Exactly" },
  { value: "atleast", label: "At least" },
] as const;

export function StickinessPage() {
  const [state, origin] = split(route.useSearch());
  const navigate = route.useNavigate();
  const change = putSearch<StickinessState>((update) => void navigate({ search: update, replace: true, resetScroll: false }));
  const [first, ...others] = state.series ?? [];
  return (
    <InsightPage
      kind="stickiness"
      title="Stickiness"
      words={describeStickiness(state)}
      query={stickinessQuery(state)}
      visualization="bar"
      origin={origin}
      range={{ ...state, date_from: state.date_from ?? "-30d" }}
      onRange={({ date_from, date_to }) => change({ date_from, date_to })}
      tools={
        <>
          <Select label="Interval" value={state.interval ?? "day"} options={INTERVAL_OPTIONS} onChange={(interval) => change({ interval })} />
          <Segments
            label="Exactly that many, or at least"
            value={state.cumulative ? "atleast" : "exactly"}
            options={COUNT_OPTIONS}
            onChange={(value) => change({ cumulative: value === "atleast" ? true : undefined })}
          />
        </>
      }
      builder={
        <>
          <BuilderSection title="Being active is">
            <MatchingEditor label="activity" value={first} onChange={(step) => change({ series: [step, ...others] })} />
          </BuilderSection>
          <BuilderSection title="Only where">
            <Filters filters={state.filters} events={[]} onChange={(filters) => change({ filters })} />
          </BuilderSection>
        </>
      }
      start={<StartHere title="How much of a habit is it?" kind="stickiness" onPick={(event) => change({ series: [{ event }] })} />}
      isEmpty={(data) => data.series.every((each) => each.counts.every((count) => count === 0))}
      onWiden={() => change({ date_from: "-90d", date_to: undefined, interval: "week" })}
      chart={(data, { label, onPeople }) => <StickinessView answer={data} label={label} onPeople={onPeople} />}
      table={(data, { label, onPeople }) => <StickinessTable answer={data} label={label} onPeople={onPeople} />}
    />
  );
}
