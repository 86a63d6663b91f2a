import { queryOptions } from "@tanstack/react-query";
import { authApi, unwrap, type AuthSchemas } from "~/api/client";

export type Key = AuthSchemas["KeyAnswer"];
export type Member = AuthSchemas["MemberAnswer"];

const at = (projectId: number) => ({ path: { project_id: projectId }, query: { limit: 500 } });

export const keysOptions = (projectId: number) =>
  queryOptions({
    queryKey: ["keys", projectId],
    queryFn: async ({ signal }) => (await unwrap(authApi.GET("/projects/{project_id}/keys", { params: at(projectId), signal }))).results,
  });

export const membersOptions = (projectId: number) =>
  queryOptions({
    queryKey: ["members", projectId],
    queryFn: async ({ signal }) => (await unwrap(authApi.GET("/projects/{project_id}/members", { params: at(projectId), signal }))).results,
  });
