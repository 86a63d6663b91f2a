import { useQuery } from "@tanstack/react-query";
import { useProject } from "~/api/account";
import { ConnectLink } from "~/features/connect/ConnectLink";
import { eventNamesOptions } from "~/features/insights/names";
import { compact } from "~/format/numbers";
import { Button, buttonClass } from "~/ui/Button";
import { Panel } from "~/ui/Page";
import { Empty, Failure, Skeleton } from "~/ui/states";

export function ChartSkeleton() {
  return (
    <>
      <Panel className="p-4">
        <div className="flex h-[340px] items-end gap-[2%]">
          {[38, 52, 46, 61, 57, 72, 64, 80, 69, 76, 85, 62].map((height, index) => (
            <Skeleton key={index} className={`flex-1 ${HEIGHTS[Math.floor(height / 10)] ?? "h-1/2"}`} />
          ))}
        </div>
      </Panel>
      <Panel className="mt-4 divide-y divide-line">
        {[0, 1, 2].map((row) => (
          <div key={row} className="flex h-9 items-center gap-6 px-3">
            <Skeleton className="h-3 w-32" />
            <Skeleton className="h-3 flex-1" />
          </div>
        ))}
      </Panel>
    </>
  );
}

const HEIGHTS: Record<number, string> = { 3: "h-[38%]", 4: "h-[46%]", 5: "h-[55%]", 6: "h-[62%]", 7: "h-[73%]", 8: "h-[83%]" };

/** Before the first event is chosen: those that there are, one press away. */
export function StartHere({ title, kind, onPick }: { title: string; kind: string; onPick: (event: string) => void }) {
  const project = useProject();
  const names = useQuery(eventNamesOptions(project.id));
  if (names.data?.length === 0)
    return (
      <Panel>
        <Empty title="No events yet" action={<ConnectLink />}>
          Once events arrive, their {kind} are here. The snippets are already filled in.
        </Empty>
      </Panel>
    );
  if (names.isError)
    return (
      <Panel className="min-h-96">
        <Failure error={names.error} onRetry={() => void names.refetch()} />
      </Panel>
    );
  return (
    <Panel className="min-h-96">
      <Empty title={title}>Choose an event, or begin with one of these.</Empty>
      <ul className="mx-auto grid max-w-2xl grid-cols-1 gap-2 px-6 pb-10 sm:grid-cols-2">
        {names.data
          ? names.data.slice(0, 8).map(({ event, count }) => (
              <li key={event}>
                <button type="button" onClick={() => onPick(event)} className={`${buttonClass()} h-10 w-full justify-between! font-normal`}>
                  <span className="truncate" dir="auto">
                    {event}
                  </span>
                  <span className="figure text-12 text-faint">{compact(count)}</span>
                </button>
              </li>
            ))
          : [0, 1, 2, 3].map((row) => (
              <li key={row} aria-hidden>
                <Skeleton className="h-10" />
              </li>
            ))}
      </ul>
    </Panel>
  );
}

/** An answer without a single event in it. */
export function NoEvents({ onWiden }: { onWiden: () => void }) {
  return (
    <Panel className="min-h-96">
      <Empty title="Nothing matches in this range" action={<Button onClick={onWiden}>Look at the last 90 days</Button>}>
        No event passes all of these conditions. Check the filters, or look further back.
      </Empty>
    </Panel>
  );
}
