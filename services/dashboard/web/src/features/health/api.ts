import { queryOptions } from "@tanstack/react-query";
import { queryApi, unwrap } from "~/api/client";

/** What waits to be stored, and how long events take. */
export const ingestionOptions = (projectId: number) =>
  queryOptions({
    queryKey: ["ingestion", projectId],
    queryFn: ({ signal }) => unwrap(queryApi.GET("/api/ingestion", { params: { query: { project_id: projectId } }, signal })),
    staleTime: 0,
  });
