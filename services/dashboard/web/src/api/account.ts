import { queryOptions, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { authApi, unwrap } from "~/api/client";

/** Who is signed in, with their projects. */
export const meOptions = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => unwrap(authApi.GET("/auth/me", { signal })),
  staleTime: 60_000,
});

export function useMe() {
  return useSuspenseQuery(meOptions).data;
}

/** The project of the address. The route has made sure that it is one of the user's. */
export function useProject() {
  const { projectId } = useParams({ strict: false });
  const project = useMe().projects.find((each) => String(each.id) === projectId);
  if (project === undefined) throw new Error(`There is no project ${projectId ?? ""}`);
  return project;
}

export type OwnProject = ReturnType<typeof useProject>;

export const projectOptions = (projectId: number) =>
  queryOptions({
    queryKey: ["project", projectId],
    queryFn: ({ signal }) =>
      unwrap(authApi.GET("/projects/{project_id}", { params: { path: { project_id: projectId } }, signal })),
  });

export function useWriteKey(projectId: number) {
  return useQuery(projectOptions(projectId));
}

/** Where clients send events, as they can reach it. */
export const captureUrlOptions = queryOptions({
  queryKey: ["config"],
  staleTime: Infinity,
  queryFn: async ({ signal }) => {
    const config = (await (await fetch("/config.json", { signal })).json()) as {
      capture_url: string | null;
      capture_port: number | null;
    };
    if (config.capture_url !== null) return config.capture_url;
    return config.capture_port === null ? location.origin : `${location.protocol}//${location.hostname}:${config.capture_port}`;
  },
});

export const ROLES = ["viewer", "editor", "admin", "owner"] as const;
export type Role = (typeof ROLES)[number];

export function may(project: OwnProject, least: Role): boolean {
  return ROLES.indexOf(project.role) >= ROLES.indexOf(least);
}
