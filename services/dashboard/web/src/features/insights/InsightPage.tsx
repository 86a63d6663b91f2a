import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChevronDown } from "lucide-react";
import { useRef, useState, type ReactNode } from "react";
import { useProject } from "~/api/account";
import type { OriginSearch } from "~/features/dashboards/origin";
import { useOrigin } from "~/features/dashboards/useOrigin";
import { Actions } from "~/features/insights/Actions";
import { answerOptions, type Answers, type Kind, type Questions } from "~/features/insights/ask";
import type { Range } from "~/features/insights/document";
import { ChartSkeleton, NoEvents } from "~/features/insights/empty";
import { RangePicker } from "~/features/insights/RangePicker";
import { Cost, Result } from "~/features/insights/Result";
import { Sentence } from "~/features/insights/Sentence";
import { sentence, type Word } from "~/features/insights/words";
import type { Behind, OnPeople } from "~/features/people/behind";
import { PeopleDialog } from "~/features/people/PeopleDialog";
import { cx } from "~/ui/cx";
import { Panel, useTitle } from "~/ui/Page";

/** What a chart is told besides the answer. */
interface ChartContext {
  /** The question in words. */
  label: string;
  onPeople: OnPeople;
}

interface InsightPageProps<K extends Kind> {
  kind: K;
  title: string;
  words: readonly Word[];
  /** The question; null while there is nothing to ask yet. Where it is narrow, the builder makes room for an answer. */
  query: Questions[K] | null;
  /** How a widget that is saved from here is drawn. */
  visualization: string;
  /** Where somebody came from. */
  origin: OriginSearch;
  range: Range;
  onRange: (range: Range) => void;
  /** What stands behind the range in the toolbar. */
  tools?: ReactNode;
  builder: ReactNode;
  /** What is shown until there is a question. */
  start?: ReactNode;
  isEmpty: (answer: Answers[K]) => boolean;
  /** Looks further back when nothing was found; default: 90 days. */
  onWiden?: () => void;
  chart: (answer: Answers[K], context: ChartContext) => ReactNode;
  table?: ((answer: Answers[K], context: ChartContext) => ReactNode) | undefined;
}

/** Every insight, top to bottom: the question in words, one toolbar, the builder beside its answer. */
export function InsightPage<K extends Kind>(props: InsightPageProps<K>) {
  const { kind, title, words, query, range, onRange } = props;
  const project = useProject();
  const options = answerOptions(kind, project.id, query);
  const answer = useQuery(options);
  const picture = useRef<HTMLDivElement>(null);
  const origin = useOrigin(props.origin, kind, project.id);
  const [shown, setShown] = useState(query === null);
  const [[first, ...others], setLists] = useState<readonly Behind[]>([]);
  const label = sentence(words);
  useTitle(title);
  return (
    <div className="mx-auto w-full max-w-[1680px] px-4 py-5 md:px-8 md:py-6">
      <header className="mb-4">
        {props.origin.dashboard === undefined ? null : (
          <p className="flex min-h-5 gap-1.5 text-13 text-soft">
            {origin === null ? null : (
              <>
                <Link
                  to="/p/$projectId/dashboards/$dashboardId"
                  params={{ projectId: String(project.id), dashboardId: String(origin.dashboard.id) }}
                  search={props.origin.seen ?? {}}
                  className="max-w-80 truncate hover:text-accent-text"
                  dir="auto"
                >
                  {origin.dashboard.name}
                </Link>
                <span aria-hidden>/</span>
                <span className="max-w-80 truncate" dir="auto">
                  {origin.widget?.name ?? "New"}
                </span>
              </>
            )}
          </p>
        )}
        <h1 className="text-20">{title}</h1>
        <Sentence words={words} />
      </header>
      <div role="toolbar" aria-label="Range and chart" className="mb-4 flex flex-wrap items-center gap-2">
        <RangePicker range={range} onChange={onRange} />
        {props.tools}
        <Actions kind={kind} query={query} name={label} visualization={props.visualization} origin={origin} picture={picture} />
      </div>
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-4 lg:grid-cols-[360px_minmax(0,1fr)]">
        <Panel label="Question">
          <button
            type="button"
            aria-expanded={shown}
            onClick={() => setShown(!shown)}
            className="flex h-10 w-full items-center justify-between rounded-surface px-3 font-medium hover:bg-hover lg:hidden"
          >
            {shown ? "Hide the question" : "Change the question"}
            <ChevronDown className={cx("size-4 text-faint transition-transform", shown && "rotate-180")} aria-hidden />
          </button>
          <div className={cx("divide-y divide-line max-lg:border-t max-lg:border-line", !shown && "max-lg:hidden")}>{props.builder}</div>
        </Panel>
        <div className="min-w-0">
          {query === null ? (
            props.start
          ) : (
            <Result
              answer={answer}
              queryKey={options.queryKey}
              skeleton={<ChartSkeleton />}
              isEmpty={props.isEmpty}
              empty={<NoEvents onWiden={props.onWiden ?? (() => onRange({ date_from: "-90d" }))} />}
            >
              {(data) => (
                <>
                  <Panel className="p-4" label="Chart">
                    <div ref={picture}>{props.chart(data, { label, onPeople: setLists })}</div>
                  </Panel>
                  {props.table ? (
                    <Panel className="mt-4 overflow-hidden" label="Table">
                      {props.table(data, { label, onPeople: setLists })}
                    </Panel>
                  ) : null}
                  <div className="mt-2">
                    <Cost meta={data.meta} />
                  </div>
                </>
              )}
            </Result>
          )}
        </div>
      </div>
      {query !== null && first !== undefined ? <PeopleDialog kind={kind} query={query} lists={[first, ...others]} onClose={() => setLists([])} /> : null}
    </div>
  );
}

/** A part of the builder with its name. */
export function BuilderSection({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="p-3" aria-label={title}>
      <h2 className="mb-2 text-13 text-soft">{title}</h2>
      {children}
    </section>
  );
}
