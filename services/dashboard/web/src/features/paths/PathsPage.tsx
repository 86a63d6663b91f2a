import { getRouteApi } from "@tanstack/react-router";
import { split } from "~/features/dashboards/origin";
import { Filters } from "~/features/insights/Filters";
import { BuilderSection, InsightPage } from "~/features/insights/InsightPage";
import { NumberInput } from "~/features/insights/NumberInput";
import { putSearch } from "~/features/insights/search";
import { TextInput } from "~/features/insights/TextInput";
import { describePaths, KIND_LABELS, NODE_KINDS, pathsQuery, type NodeKind, type PathsState } from "~/features/paths/document";
import { PathsTable, PathsView } from "~/features/paths/PathsView";
import { capitalised } from "~/format/text";

const route = getRouteApi("/signed-in/p/$projectId/paths");

export function PathsPage() {
  const [state, origin] = split(route.useSearch());
  const navigate = route.useNavigate();
  const change = putSearch<PathsState>((update) => void navigate({ search: update, replace: true, resetScroll: false }));
  const kinds: readonly NodeKind[] = state.include ?? NODE_KINDS;
  const toggle = (kind: NodeKind) => {
    const next = kinds.includes(kind) ? kinds.filter((each) => each !== kind) : [...kinds, kind];
    change({ include: next.length === 0 || next.length === NODE_KINDS.length ? undefined : next });
  };
  return (
    <InsightPage
      kind="paths"
      title="Paths"
      words={describePaths(state)}
      query={pathsQuery(state)}
      visualization="sankey"
      origin={origin}
      range={state}
      onRange={({ date_from, date_to }) => change({ date_from, date_to })}
      builder={
        <>
          <BuilderSection title="Through">
            <div className="flex flex-wrap gap-x-4 gap-y-1">
              {NODE_KINDS.map((kind) => (
                <label key={kind} className="flex h-8 items-center gap-2">
                  <input type="checkbox" checked={kinds.includes(kind)} onChange={() => toggle(kind)} className="size-4 accent-(--accent)" />
                  {capitalised(KIND_LABELS[kind])}
                </label>
              ))}
            </div>
          </BuilderSection>
          <BuilderSection title="From and to">
            <div className="flex flex-col gap-2">
              <TextInput label="Starting at" placeholder="/ or an event" value={state.start} onChange={(start) => change({ start })} />
              <TextInput label="Ending at" placeholder="/checkout or an event" value={state.end} onChange={(end) => change({ end })} />
            </div>
          </BuilderSection>
          <BuilderSection title="How much of it">
            <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
              <span className="flex items-center gap-2">
                <NumberInput label="Steps" value={state.steps ?? 5} least={2} most={20} onChange={(steps) => change({ steps })} />
                <span className="text-soft">steps</span>
              </span>
              <span className="flex items-center gap-2">
                <NumberInput label="Most links" value={state.max_links ?? 30} least={1} most={1000} onChange={(links) => change({ max_links: links })} />
                <span className="text-soft">links</span>
              </span>
              <span className="flex items-center gap-2">
                <span className="text-soft">each taken</span>
                <NumberInput
                  label="Least times that a link is taken"
                  value={state.min_weight ?? 1}
                  least={1}
                  most={Number.MAX_SAFE_INTEGER}
                  onChange={(weight) => change({ min_weight: weight === 1 ? undefined : weight })}
                />
                <span className="text-soft">times or more</span>
              </span>
            </div>
          </BuilderSection>
          <BuilderSection title="Leave out">
            <TextInput
              label="Names, separated by commas"
              placeholder="/login, heartbeat"
              value={state.exclude?.join(", ")}
              onChange={(text) => {
                const names = (text ?? "").split(",").map((name) => name.trim()).filter(Boolean);
                change({ exclude: names.length > 0 ? names : undefined });
              }}
            />
          </BuilderSection>
          <BuilderSection title="Only where">
            <Filters filters={state.filters} events={[]} onChange={(filters) => change({ filters })} />
          </BuilderSection>
        </>
      }
      isEmpty={(data) => data.links.length === 0}
      chart={(data, { label, onPeople }) => <PathsView answer={data} label={label} onPeople={onPeople} />}
      table={(data, { label, onPeople }) => <PathsTable answer={data} label={label} onPeople={onPeople} />}
    />
  );
}
