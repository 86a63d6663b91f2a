import { Tabs } from "@base-ui/react/tabs";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check } from "lucide-react";
import { captureUrlOptions, useProject, useWriteKey, type OwnProject } from "~/api/account";
import { latestEventOptions } from "~/features/live/api";
import { useArrivals } from "~/features/live/arrivals";
import { makeSnippets } from "~/features/connect/snippets";
import { ago, parseTime } from "~/format/times";
import { buttonClass } from "~/ui/Button";
import { CopyButton } from "~/ui/Copy";
import { Page, Panel } from "~/ui/Page";
import { Empty, Failure, Loading, Skeleton } from "~/ui/states";

export function ConnectPage() {
  const project = useProject();
  const detail = useWriteKey(project.id);
  const captureUrl = useQuery(captureUrlOptions);
  const failed = detail.error ?? captureUrl.error;
  return (
    <Page narrow title="Connect" description="Send events from wherever your users are. Every snippet has this project's key in it already.">
      {failed ? (
        <Panel>
          <Failure error={failed} onRetry={() => void Promise.all([detail.refetch(), captureUrl.refetch()])} />
        </Panel>
      ) : detail.data && captureUrl.data ? (
        <Snippets writeKey={detail.data.write_key} captureUrl={captureUrl.data} />
      ) : (
        <Panel className="p-4">
          <div className="flex flex-col gap-3">
            <Loading />
            <Skeleton className="h-8 w-80 max-w-full" />
            <Skeleton className="h-40" />
          </div>
        </Panel>
      )}
      <FirstEvent key={project.id} project={project} />
    </Page>
  );
}

function Snippets({ writeKey, captureUrl }: { writeKey: string | null; captureUrl: string }) {
  if (writeKey === null)
    return (
      <Panel>
        <Empty title="This project has no write key">All of its write keys were revoked. Make a new one to send events.</Empty>
      </Panel>
    );
  const snippets = makeSnippets(captureUrl, writeKey);
  return (
    <Panel>
      <Tabs.Root defaultValue="curl">
        <Tabs.List className="flex overflow-x-auto border-b border-line px-2" aria-label="Where you send from">
          {snippets.map(({ id, label }) => (
            <Tabs.Tab
              key={id}
              value={id}
              className="-mb-px h-11 shrink-0 border-b-2 border-transparent px-3 font-medium text-soft transition-colors hover:text-text data-active:border-accent data-active:text-text"
            >
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {snippets.map(({ id, label, hint, code }) => (
          <Tabs.Panel key={id} value={id} className="p-4">
            <div className="mb-3 flex items-start gap-3">
              <p className="flex-1 text-soft">{hint}</p>
              <CopyButton text={code} />
            </div>
            {/* A region that scrolls has to be reachable with keys. */}
            <pre tabIndex={0} aria-label={`Snippet for ${label}`} role="region" className="overflow-x-auto rounded-control bg-sunken p-4 font-mono text-13">
              {code}
            </pre>
          </Tabs.Panel>
        ))}
      </Tabs.Root>
      <dl className="grid gap-x-8 gap-y-2 border-t border-line px-4 py-3 text-13 sm:grid-cols-2">
        <div>
          <dt className="text-soft">Send to</dt>
          <dd className="font-mono break-all">{captureUrl}</dd>
        </div>
        <div>
          <dt className="text-soft">Write key, which may be published</dt>
          <dd className="font-mono break-all">{writeKey}</dd>
        </div>
      </dl>
    </Panel>
  );
}

/** Really listens: what it says it has received is what is stored. */
function FirstEvent({ project }: { project: OwnProject }) {
  const latest = useQuery(latestEventOptions(project.id));
  const { events, connection } = useArrivals(project.id);
  const newest = events[0] ?? latest.data;
  const params = { projectId: String(project.id) };
  return (
    <Panel className="mt-4" label="What has arrived">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3 p-4">
        {newest ? (
          <>
            <span className="grid size-8 shrink-0 place-items-center rounded-full bg-good-soft text-good">
              <Check className="size-4" aria-hidden />
            </span>
            <p className="min-w-0 flex-1 basis-60">
              <span role="status" className="font-medium">
                {events.length > 0 ? "Received" : "Connected"}: <span dir="auto">{newest.event}</span>
              </span>
              <span className="block truncate text-soft">
                from <span dir="auto">{newest.distinct_id}</span>, {ago(parseTime(newest.received_at), new Date())}
              </span>
            </p>
            <Link to="/p/$projectId/live" params={params} className={buttonClass()}>
              See events live
            </Link>
            <Link to="/p/$projectId/trends" params={params} search={{ series: [{ event: newest.event }] }} className={buttonClass("primary")}>
              Build a first insight
            </Link>
          </>
        ) : (
          <>
            <span aria-hidden className="grid size-8 shrink-0 place-items-center">
              <span className="size-3 animate-[pulse_1.6s_ease-in-out_infinite] rounded-full bg-accent" />
            </span>
            <p className="flex-1">
              <span role="status" className="font-medium">Waiting for your first event…</span>
              <span className="block text-soft">
                {connection === "broken" ? "The connection broke; trying again." : "This page listens, and says so as soon as one is stored."}
              </span>
            </p>
          </>
        )}
      </div>
    </Panel>
  );
}
