import type { Schemas } from "~/api/client";
import { compact } from "~/format/numbers";

/** Where a job is: how much it has read, or null while it waits for its turn. */
export interface Headway {
  progress: Schemas["Progress"] | null;
}

/** In words; for whoever hears it, in steps of so many percent. */
export function howFar({ progress }: Headway, step?: number): string {
  if (progress === null) return "Waiting for its turn";
  const { rows_read: read, total_rows: total } = progress;
  if (total === 0) return "In the background";
  // What has to be read is an estimate.
  if (step !== undefined) return `${Math.floor((100 * Math.min(read, total)) / total / step) * step}% read`;
  return `${compact(Math.min(read, total))} of ${compact(total)} events`;
}
