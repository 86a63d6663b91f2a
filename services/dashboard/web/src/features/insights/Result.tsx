import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { progressOptions } from "~/features/insights/ask";
import type { Progress } from "~/features/insights/background";
import { compact, duration, exact } from "~/format/numbers";
import { Button } from "~/ui/Button";
import { cx } from "~/ui/cx";
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
  const progress = useQuery(progressOptions(queryKey)).data;
  const waiting =
    answer.isFetching && seconds >= 1 ? (
      <div role="status" className="floating absolute top-3 left-1/2 z-10 flex -translate-x-1/2 items-center gap-3 py-1.5 ps-3 pe-2 text-13">
        <span className="figure whitespace-nowrap">Asking for {Math.floor(seconds)} s</span>
        {progress ? <HowFar progress={progress} /> : null}
        {seconds >= 3 ? (
          <Button small onClick={() => void queryClient.cancelQueries({ queryKey })}>
            Cancel
          </Button>
        ) : null}
      </div>
    ) : null;

  let shown: ReactNode;
  if (answer.data !== undefined) {
    shown = (
      <div className={cx("transition-opacity duration-150", answer.isPlaceholderData && "opacity-45")} aria-busy={answer.isFetching} inert={answer.isPlaceholderData}>
        {isEmpty?.(answer.data) ? empty : children(answer.data)}
      </div>
    );
  } else if (answer.isError) {
    shown = <Failure error={answer.error} onRetry={() => void answer.refetch()} />;
  } else if (answer.isFetching) {
    shown = (
      <div role="status" aria-label="Loading">
        {skeleton}
      </div>
    );
  } else {
    shown = (
      <Empty title="Cancelled" action={<Button onClick={() => void answer.refetch()}>Ask again</Button>}>
        The question was stopped before its answer was there. Nothing else changed.
      </Empty>
    );
  }
  return (
    <div className="relative">
      {waiting}
      {shown}
    </div>
  );
}

/** How much of what has to be read has been read, as far as ClickHouse knows. */
function HowFar({ progress: { rows_read: read, total_rows: total } }: { progress: Progress }) {
  if (total === 0) return <span className="whitespace-nowrap text-soft">in the background</span>;
  return (
    <span className="flex items-center gap-2">
      <progress aria-label="Events read" value={Math.min(read, total)} max={total} className="h-1.5 w-24 accent-(--accent)" />
      <span className="figure whitespace-nowrap text-soft">
        {compact(read)} of {compact(total)} events
      </span>
    </span>
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
