import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleAlert, CircleCheck } from "lucide-react";
import { useEffect, useState } from "react";
import { useProject, type OwnProject } from "~/api/account";
import type { Schemas } from "~/api/client";
import { TimeChart } from "~/charts/TimeChart";
import { Facts } from "~/features/live/EventDetail";
import { latestEventOptions, rejectedOptions } from "~/features/live/api";
import { answerOptions } from "~/features/insights/ask";
import { ingestionOptions } from "~/features/health/api";
import { adviceFor, reasonLabel } from "~/features/health/reasons";
import { judge, type Verdict } from "~/features/health/verdict";
import { compact, duration, exact, percent } from "~/format/numbers";
import { ago, dateTime, parseTime } from "~/format/times";
import { buttonClass } from "~/ui/Button";
import { CopyButton } from "~/ui/Copy";
import { cx } from "~/ui/cx";
import { Dialog } from "~/ui/Dialog";
import { More } from "~/ui/List";
import { Page, Panel } from "~/ui/Page";
import { Empty, Failure, Skeleton, SkeletonRows } from "~/ui/states";

type Rejected = Schemas["RejectedEvent"];

const AGAIN_MS = 10_000;
const SOON_MS = 5_000;

/** Why an event that was answered with 200 cannot be found. */
export function HealthPage() {
  const project = useProject();
  return (
    <Page title="Data health" description="Whether what is sent arrives, and what became of the events that cannot be stored.">
      <Arriving project={project} />
      <RejectedEvents project={project} />
    </Page>
  );
}

function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 5_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function Arriving({ project }: { project: OwnProject }) {
  const now = useNow();
  const query = { series: [{ event: null, name: "Events" }], interval: "minute" as const, date_from: "-60M" };
  const minutes = useQuery({ ...answerOptions("trends", project.id, query), refetchInterval: AGAIN_MS });
  const ingestion = useQuery({ ...ingestionOptions(project.id), refetchInterval: SOON_MS });
  const latest = useQuery({ ...latestEventOptions(project.id), refetchInterval: AGAIN_MS });
  const rejected = useInfiniteQuery({ ...rejectedOptions(project.id, "-24h"), refetchInterval: AGAIN_MS });
  const day = useQuery({ ...answerOptions("trends", project.id, { series: [{ event: null }], interval: "hour", date_from: "-24h" }), refetchInterval: AGAIN_MS });
  const error = minutes.error ?? ingestion.error ?? latest.error ?? rejected.error ?? day.error;
  if (error)
    return (
      <Panel>
        <Failure error={error} onRetry={() => void Promise.all([minutes.refetch(), ingestion.refetch(), latest.refetch(), rejected.refetch(), day.refetch()])} />
      </Panel>
    );
  const series = minutes.data?.series[0];
  const bad = rejected.data?.pages.flatMap((page) => page.results).length ?? 0;
  const more = rejected.data?.pages.at(-1)?.next_cursor ? "at least " : "";
  const good = day.data?.series[0]?.total ?? 0;
  const isLoading = minutes.isPending || ingestion.isPending || latest.isPending || rejected.isPending || day.isPending;
  const facts = [
    {
      label: "Newest event stored",
      value: latest.data ? ago(parseTime(latest.data.received_at), now) : "none yet",
      title: latest.data ? dateTime(parseTime(latest.data.received_at), project.timezone) : undefined,
    },
    {
      label: "Waiting to be stored",
      value: ingestion.data?.oldest_waiting_seconds
        ? `${compact(ingestion.data.waiting_events)} for ${duration(ingestion.data.oldest_waiting_seconds)}`
        : compact(ingestion.data?.waiting_events),
      title: "Events of all projects here, and for how long the oldest has waited",
    },
    {
      label: "Stored within",
      value: duration(ingestion.data?.freshness?.p95),
      title: ingestion.data?.freshness ? `95% of the last five minutes; half of them within ${duration(ingestion.data.freshness.p50)}` : undefined,
    },
    { label: "Events per second", value: exact(ingestion.data?.events_per_second), title: "Over the last five minutes" },
    { label: "Stored in 24 hours", value: compact(good), title: exact(good) },
    {
      label: "Rejected in 24 hours",
      value: bad === 0 ? "0" : `${more}${exact(bad)} (${percent(bad / (bad + good))})`,
    },
  ];
  return (
    <>
      <Panel label="Figures" className="mb-4">
        <VerdictLine verdict={ingestion.data ? judge(ingestion.data) : null} />
        <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-b-surface bg-line md:grid-cols-3 xl:grid-cols-6">
          {facts.map(({ label, value, title }) => (
            <div key={label} className="bg-surface px-4 py-3">
              <dt className="text-13 text-soft">{label}</dt>
              <dd className="figure mt-0.5 text-16 font-bold sm:text-20" title={title}>
                {isLoading ? <Skeleton className="my-1 h-5 w-24" /> : value}
              </dd>
            </div>
          ))}
        </dl>
      </Panel>
      <Panel label="Events per minute" className="mb-4 p-4">
        <h2 className="mb-2 text-14">Events per minute, last hour</h2>
        {minutes.data && series ? (
          <TimeChart
            kind="bar"
            over={minutes.data}
            series={[{ key: "events", label: "Events", colour: "var(--series-1)", data: series.data }]}
            label={`Events per minute in the last hour: ${exact(series.total)} in all`}
            height={180}
          />
        ) : (
          <Skeleton className="h-44" />
        )}
      </Panel>
    </>
  );
}

const TONES = { good: "text-good", warn: "text-warn", bad: "text-bad" };

function VerdictLine({ verdict }: { verdict: Verdict | null }) {
  if (verdict === null) return <Skeleton className="m-4 h-5 w-72" />;
  const Sign = verdict.tone === "good" ? CircleCheck : CircleAlert;
  return (
    <p role="status" className="flex items-start gap-2 border-b border-line px-4 py-3">
      <Sign aria-hidden className={cx("mt-0.5 size-4 shrink-0", TONES[verdict.tone])} />
      <span>
        <span className={cx("font-medium", verdict.tone !== "good" && TONES[verdict.tone])}>{verdict.says}</span> <span className="text-soft">{verdict.means}</span>
      </span>
    </p>
  );
}

function RejectedEvents({ project }: { project: OwnProject }) {
  const rejected = useInfiniteQuery({ ...rejectedOptions(project.id, "-30d"), refetchInterval: AGAIN_MS });
  const [opened, setOpened] = useState<Rejected | null>(null);
  const rows = rejected.data?.pages.flatMap((page) => page.results) ?? [];
  return (
    <Panel label="Rejected events" className="overflow-hidden">
      <h2 className="border-b border-line px-4 py-3 text-14">Rejected events, last 30 days</h2>
      {rejected.isPending ? (
        <SkeletonRows />
      ) : rejected.isError ? (
        <Failure error={rejected.error} onRetry={() => void rejected.refetch()} />
      ) : rows.length === 0 ? (
        <Empty
          title="Nothing was rejected"
          action={
            <Link to="/p/$projectId/live" params={{ projectId: String(project.id) }} className={buttonClass()}>
              See what arrives
            </Link>
          }
        >
          An event that was sent with a valid key and cannot be stored would be listed here, with the reason and what was sent. If yours is nowhere, check its key and its address under Connect.
        </Empty>
      ) : (
        <>
          <ul className="divide-y divide-line">
            {rows.map((row) => (
              <li key={`${row.log_partition} ${row.log_offset} ${row.received_at} ${row.reason}`} className="relative flex items-baseline gap-4 px-4 py-2.5 hover:bg-hover">
                <span className="min-w-0 flex-1">
                  <button type="button" onClick={() => setOpened(row)} className="font-medium text-bad after:absolute after:inset-0">
                    {reasonLabel(row.reason)}
                  </button>
                  <span className="block truncate text-13 text-soft">{row.detail.replaceAll("`", "")}</span>
                </span>
                <span className="figure shrink-0 text-13 text-soft">{dateTime(parseTime(row.received_at), project.timezone)}</span>
              </li>
            ))}
          </ul>
          <More query={rejected} label="Show older ones" />
        </>
      )}
      {opened ? (
        <Dialog open wide onClose={() => setOpened(null)} title={reasonLabel(opened.reason)} description={adviceFor(opened.reason)}>
          <Facts
            title="What is known"
            facts={[
              ["What was wrong", opened.detail.replaceAll("`", "")],
              ["Reason", opened.reason],
              ["Where", opened.source],
              ["Received", dateTime(parseTime(opened.received_at), project.timezone)],
            ]}
          />
          <h3 className="mt-4 mb-1 text-13 text-soft">What was sent</h3>
          <div className="relative">
            <pre className="max-h-80 overflow-auto rounded-control bg-sunken p-3 font-mono text-12 break-words whitespace-pre-wrap">{prettify(opened.payload)}</pre>
            <CopyButton text={opened.payload} className="absolute top-2 right-2" />
          </div>
        </Dialog>
      ) : null}
    </Panel>
  );
}

function prettify(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}
