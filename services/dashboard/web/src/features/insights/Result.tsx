import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { headwayOptions } from "~/features/insights/ask";
import { howFar } from "~/features/insights/headway";
import { duration, exact } from "~/format/numbers";
import { Button } from "~/ui/Button";
import { cx } from "~/ui/cx";
import { Panel } from "~/ui/Page";
import { Empty, Failure } from "~/ui/states";

interface ResultProps<T> {
  answer: UseQueryResult<T>;
  queryKey: readonly unknown[];
  skeleton: ReactNode;
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
  children: (data: T) => ReactNode;
}

/**
 * An answer in all its states. A new one replaces the old one without a jump: until it is here the old one stays, dimmed.
 */
export function Result<T>({ answer, queryKey, skeleton, isEmpty, empty, children }: ResultProps<T>) {
  const queryClient = useQueryClient();
  const seconds = useSeconds(answer.isFetching);
  const headway = useQuery(headwayOptions(queryKey)).data ?? null;
  const isOld = answer.isPlaceholderData;
  const again = () => void answer.refetch();

  let shown: ReactNode;
  if (answer.data !== undefined) {
    shown = (
      <div className={cx("transition-opacity duration-150", isOld && "opacity-45")} aria-busy={answer.isFetching} inert={isOld}>
        {isEmpty?.(answer.data) ? empty : children(answer.data)}
      </div>
    );
  } else if (answer.isError) {
    shown = (
      <Panel className="min-h-96">
        <Failure error={answer.error} onRetry={again} />
      </Panel>
    );
  } else if (answer.isFetching) {
    shown = skeleton;
  } else {
    shown = (
      <Panel className="min-h-96">
        <Empty title="Cancelled" action={<Button onClick={again}>Ask again</Button>}>
          The question was stopped before its answer was there. Nothing else changed.
        </Empty>
      </Panel>
    );
  }
  return (
    <div className="relative">
      <p role="status" className="sr-only">
        {answer.isFetching ? (seconds < 1 ? "" : `Asking. ${headway ? howFar(headway, 10) : ""}`) : isOld ? "Cancelled" : answer.isSuccess ? "The answer is here." : ""}
      </p>
      {answer.isFetching && seconds >= 1 ? (
        <Pill>
          <span className="flex flex-wrap gap-x-3">
            <span className="figure whitespace-nowrap">Asking for {Math.floor(seconds)} s</span>
            {headway ? <span className="figure text-soft">{howFar(headway)}</span> : null}
          </span>
          {seconds >= 3 ? (
            <Button small onClick={() => void queryClient.cancelQueries({ queryKey })}>
              Cancel
            </Button>
          ) : null}
          {headway?.progress?.total_rows ? (
            <progress aria-label="Events read" value={headway.progress.rows_read} max={headway.progress.total_rows} className="absolute inset-x-0 bottom-0 w-full" />
          ) : null}
        </Pill>
      ) : isOld && !answer.isFetching ? (
        <Pill>
          <span>Cancelled. This is the answer before it.</span>
          <Button small onClick={again}>
            Ask again
          </Button>
        </Pill>
      ) : null}
      {shown}
    </div>
  );
}

/** What floats over an answer that is not the one asked for. */
function Pill({ children }: { children: ReactNode }) {
  return (
    <div className="floating absolute top-3 left-1/2 z-10 flex min-h-10 w-max max-w-[calc(100%-1rem)] -translate-x-1/2 items-center gap-3 overflow-hidden py-1.5 ps-3 pe-2 text-13">{children}</div>
  );
}

function useSeconds(running: boolean): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (!running) return;
    const began = performance.now();
    const timer = setInterval(() => setSeconds((performance.now() - began) / 1000), 250);
    return () => {
      clearInterval(timer);
      setSeconds(0);
    };
  }, [running]);
  return running ? seconds : 0;
}

interface Meta {
  elapsed_ms: number;
  rows_read: number;
  cached: boolean;
}

/** What an answer cost, in small print. */
export function Cost({ meta }: { meta: Meta }) {
  return (
    <p className="figure text-12 text-faint">
      {meta.cached ? "Known already" : `${exact(meta.rows_read)} events read`} in {duration(meta.elapsed_ms / 1000)}
    </p>
  );
}
