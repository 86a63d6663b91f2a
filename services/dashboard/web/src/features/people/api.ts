import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { queryApi, unwrap } from "~/api/client";
import type { Behind } from "~/features/people/behind";

export const personsOptions = (projectId: number, search: string) =>
  infiniteQueryOptions({
    queryKey: ["persons", projectId, search],
    queryFn: ({ signal, pageParam }) =>
      unwrap(
        queryApi.GET("/api/persons", {
          params: {
            query: { project_id: projectId, date_from: "all", limit: 50, ...(search ? { search } : {}), ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

/** The few people that a text finds first. */
export const foundPeopleOptions = (projectId: number, search: string) =>
  queryOptions({
    queryKey: ["found-people", projectId, search],
    queryFn: async ({ signal }) => {
      const query = { project_id: projectId, date_from: "all", limit: 8, search };
      return (await unwrap(queryApi.GET("/api/persons", { params: { query }, signal }))).results;
    },
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });

/** People with one of these events: those behind a point of a chart. */
export const peopleBehindOptions = (projectId: number, behind: Behind | undefined) =>
  infiniteQueryOptions({
    queryKey: ["people-behind", projectId, behind],
    queryFn: ({ signal, pageParam }) => {
      if (behind === undefined) throw new Error("There is no point to look behind");
      const { event, filters, date_from, date_to } = behind;
      const query = {
        project_id: projectId,
        date_from,
        limit: 50,
        ...(date_to === undefined ? {} : { date_to }),
        ...(event === null ? {} : { event: [event] }),
        ...(filters.length > 0 ? { filters: JSON.stringify(filters) } : {}),
        ...(pageParam ? { cursor: pageParam } : {}),
      };
      return unwrap(queryApi.GET("/api/persons", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

export const personOptions = (projectId: number, distinctId: string) =>
  infiniteQueryOptions({
    queryKey: ["person", projectId, distinctId],
    queryFn: ({ signal, pageParam }) =>
      unwrap(
        queryApi.GET("/api/persons/{distinct_id}", {
          params: {
            path: { distinct_id: distinctId },
            query: { project_id: projectId, date_from: "all", limit: 50, ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });
