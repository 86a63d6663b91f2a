/** Questions that take so long that one wants to know how far they are. */
import { queryApi, unwrap } from "~/api/client";
import { toProblem } from "~/api/problem";
import type { Headway } from "~/features/insights/headway";

const LOOK_MS = 500;

/** The answer of a job, which is cancelled with the signal, down to ClickHouse. */
export async function askInBackground<T>(
  kind: string,
  projectId: number,
  query: object,
  signal: AbortSignal,
  onHeadway: (headway: Headway | null) => void,
): Promise<T> {
  const body = { kind, project_id: projectId, query: { ...query } as Record<string, unknown> };
  let job = await unwrap(queryApi.POST("/api/query/async", { body, signal }));
  const path = { job_id: job.job_id };
  // The page may be on its way out: what is cancelled is not waited for.
  const cancel = () => void queryApi.DELETE("/api/query/async/{job_id}", { params: { path } }).catch(() => undefined);
  signal.addEventListener("abort", cancel);
  try {
    while (job.status === "queued" || job.status === "running") {
      onHeadway({ progress: job.status === "running" ? job.progress : null });
      await pause(LOOK_MS, signal);
      job = await unwrap(queryApi.GET("/api/query/async/{job_id}", { params: { path }, signal }));
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    onHeadway(null);
  }
  if (job.status === "succeeded") return job.result as T;
  const found = job.error ?? { title: "The question was cancelled", detail: "Somebody stopped it before its answer was there." };
  throw toProblem(typeof found.status === "number" ? found.status : 0, found, null, true);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}
