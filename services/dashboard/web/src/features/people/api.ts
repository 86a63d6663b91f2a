import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { fetchAuthorized, queryApi, unwrap } from "~/api/client";
import { saveAs } from "~/charts/save";
import type { Kind, Questions } from "~/features/insights/ask";
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

/** A question, as every kind of insight asks it. */
interface Asked {
  kind: Kind;
  query: Questions[Kind];
}

const bodyOf = (projectId: number, { kind, query }: Asked, { point }: Behind) => ({ project_id: projectId, kind, query: { ...query }, point });

/** Everybody whom a point of a question's answer counts. */
export const peopleBehindOptions = (projectId: number, asked: Asked, behind: Behind) =>
  infiniteQueryOptions({
    queryKey: ["people-behind", projectId, asked.kind, asked.query, behind.point],
    queryFn: ({ signal, pageParam }) => {
      const body = { ...bodyOf(projectId, asked, behind), limit: 50, ...(pageParam ? { cursor: pageParam } : {}) };
      return unwrap(queryApi.POST("/api/persons", { body, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

/** All of them as one CSV file. */
export async function downloadPeople(projectId: number, asked: Asked, behind: Behind): Promise<void> {
  const pages: string[] = [];
  let cursor: string | null = null;
  do {
    const response = await fetchAuthorized("/api/persons?format=csv", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/csv" },
      body: JSON.stringify({ ...bodyOf(projectId, asked, behind), limit: 1000, ...(cursor === null ? {} : { cursor }) }),
    });
    const page = await response.text();
    pages.push(pages.length === 0 ? page : page.slice(page.indexOf("\r\n") + 2));
    cursor = response.headers.get("x-next-cursor");
  } while (cursor !== null);
  saveAs(new Blob(pages, { type: "text/csv" }), "people.csv");
}

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
