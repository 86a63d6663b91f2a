import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { countNames, countValues } from "~/features/insights/known";
import { queryApi, unwrap } from "~/api/client";

/** Names and values to choose from: what events of late had. */

export const eventNamesOptions = (projectId: number) =>
  queryOptions({
    queryKey: ["event-names", projectId],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          queryApi.GET("/api/event-names", { params: { query: { project_id: projectId, date_from: "-90d", limit: 500 } }, signal }),
        )
      ).results,
    staleTime: 60_000,
  });

/** The API knows the properties of one event, or of all. */
function only(events: readonly string[]): { event?: string } {
  const [event, another] = events;
  return event !== undefined && another === undefined ? { event } : {};
}

const PEOPLE_SAMPLE = 200;

/** What is known of the people who were seen last: enough to choose from. */
const latestPeopleOptions = (projectId: number, search: string) => ({
  queryKey: ["latest-people", projectId, search],
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const query = { project_id: projectId, date_from: "-90d", limit: PEOPLE_SAMPLE, ...(search ? { search } : {}) };
    return (await unwrap(queryApi.GET("/api/persons", { params: { query }, signal }))).results.map(({ properties }) => properties);
  },
  staleTime: 60_000,
});

export const personPropertyNamesOptions = (projectId: number) =>
  queryOptions({ ...latestPeopleOptions(projectId, ""), select: countNames });

export const personPropertyValuesOptions = (projectId: number, property: string, search: string) =>
  queryOptions({
    ...latestPeopleOptions(projectId, search),
    select: (people) => countValues(people, property, search),
    placeholderData: keepPreviousData,
  });

export const propertyNamesOptions = (projectId: number, events: readonly string[]) =>
  queryOptions({
    queryKey: ["property-names", projectId, events],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          queryApi.GET("/api/property-names", {
            params: { query: { project_id: projectId, ...only(events), limit: 500 } },
            signal,
          }),
        )
      ).results,
    staleTime: 60_000,
  });

export const propertyValuesOptions = (projectId: number, property: string, events: readonly string[], search: string) =>
  queryOptions({
    queryKey: ["property-values", projectId, property, events, search],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          queryApi.GET("/api/property-values", {
            params: { query: { project_id: projectId, property, ...only(events), limit: 100, ...(search ? { search } : {}) } },
            signal,
          }),
        )
      ).results,
    staleTime: 60_000,
    placeholderData: keepPreviousData,
  });
