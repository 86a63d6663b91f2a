import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { queryApi, unwrap } from "~/api/client";

/** The newest events that are stored; `before` listening begins. */
export const recentEventsOptions = (projectId: number) =>
  queryOptions({
    queryKey: ["events", projectId, "recent"],
    queryFn: async ({ signal }) =>
      (await unwrap(queryApi.GET("/api/events", { params: { query: { project_id: projectId, date_from: "-30d", limit: 50 } }, signal }))).results,
    staleTime: 0,
  });

export const latestEventOptions = (projectId: number) =>
  queryOptions({
    queryKey: ["events", projectId, "latest"],
    queryFn: async ({ signal }) => {
      const query = { project_id: projectId, date_from: "-365d", limit: 1 };
      return (await unwrap(queryApi.GET("/api/events", { params: { query }, signal }))).results[0] ?? null;
    },
    staleTime: 0,
  });

export const rejectedOptions = (projectId: number, dateFrom: string, reason?: string) =>
  infiniteQueryOptions({
    queryKey: ["rejected", projectId, dateFrom, reason ?? null],
    queryFn: ({ signal, pageParam }) =>
      unwrap(
        queryApi.GET("/api/rejected-events", {
          params: {
            query: {
              project_id: projectId,
              date_from: dateFrom,
              limit: 50,
              ...(reason ? { reason: [reason] } : {}),
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
  });
