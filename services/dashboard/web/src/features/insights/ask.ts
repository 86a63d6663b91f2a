import { keepPreviousData, queryOptions, skipToken } from "@tanstack/react-query";
import { saveAs } from "~/charts/save";
import { fetchAuthorized, queryApi, unwrap, type Schemas } from "~/api/client";
import { askInBackground } from "~/features/insights/background";
import type { Headway } from "~/features/insights/headway";
import { askPatiently } from "~/features/insights/patience";

/** The kinds of insights, with what is asked and what is answered. */
export interface Questions {
  trends: Schemas["TrendsQuery"];
  funnels: Schemas["FunnelQuery"];
  retention: Schemas["RetentionQuery"];
  lifecycle: Schemas["LifecycleQuery"];
  stickiness: Schemas["StickinessQuery"];
  paths: Schemas["PathsQuery"];
}
export interface Answers {
  trends: Schemas["TrendsAnswer"];
  funnels: Schemas["FunnelAnswer"];
  retention: Schemas["RetentionAnswer"];
  lifecycle: Schemas["LifecycleAnswer"];
  stickiness: Schemas["StickinessAnswer"];
  paths: Schemas["PathsAnswer"];
}
export type Kind = keyof Questions;

const askers: { [K in Kind]: (body: Questions[K], signal: AbortSignal) => Promise<Answers[K]> } = {
  trends: (body, signal) => unwrap(queryApi.POST("/api/trends", { body, signal })),
  funnels: (body, signal) => unwrap(queryApi.POST("/api/funnels", { body, signal })),
  retention: (body, signal) => unwrap(queryApi.POST("/api/retention", { body, signal })),
  lifecycle: (body, signal) => unwrap(queryApi.POST("/api/lifecycle", { body, signal })),
  stickiness: (body, signal) => unwrap(queryApi.POST("/api/stickiness", { body, signal })),
  paths: (body, signal) => unwrap(queryApi.POST("/api/paths", { body, signal })),
};

/**
 * The key is the whole document: whatever changes in it asks anew, and the same question is asked once.
 * Whoever leaves or cancels ends the request, and with it the query in ClickHouse. What takes long goes on in the
 * background, where it has more time and can say how far it is.
 */
export const answerOptions = <K extends Kind>(kind: K, projectId: number, query: Questions[K] | null) =>
  queryOptions({
    queryKey: ["insight", kind, projectId, query],
    queryFn: ({ client, queryKey, signal }) => {
      if (query === null) throw new Error("There is nothing to ask yet");
      const body = { ...query, project_id: projectId };
      return askPatiently(
        (patience) => askers[kind](body, patience),
        () => askInBackground<Answers[K]>(kind, projectId, query, signal, (headway) => client.setQueryData(headwayOptions(queryKey).queryKey, headway)),
        signal,
      );
    },
    enabled: query !== null,
    placeholderData: keepPreviousData,
  });

/** How far the question with this key has got, while it runs in the background. */
export const headwayOptions = (queryKey: readonly unknown[]) =>
  queryOptions<Headway | null>({ queryKey: ["headway", ...queryKey], queryFn: skipToken, gcTime: 0 });

/** The answer as a CSV file. */
export async function downloadCsv<K extends Kind>(kind: K, projectId: number, query: Questions[K]): Promise<void> {
  const response = await fetchAuthorized(`/api/${kind}?format=csv`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/csv" },
    body: JSON.stringify({ ...query, project_id: projectId }),
  });
  saveAs(await response.blob(), `${kind}.csv`);
}
