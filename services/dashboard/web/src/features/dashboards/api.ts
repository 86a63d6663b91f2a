import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { queryApi, unwrap, type Schemas } from "~/api/client";

export type Dashboard = Schemas["DashboardAnswer"];
export type Widget = Schemas["WidgetAnswer"];
export type WidgetResult = Schemas["WidgetResult"];

export const dashboardsOptions = (projectId: number) =>
  queryOptions({
    queryKey: ["dashboards", projectId],
    queryFn: async ({ signal }) =>
      (await unwrap(queryApi.GET("/api/dashboards", { params: { query: { project_id: projectId, limit: 500 } }, signal }))).results,
  });

export const dashboardOptions = (dashboardId: number) =>
  queryOptions({
    queryKey: ["dashboard", dashboardId],
    queryFn: ({ signal }) => unwrap(queryApi.GET("/api/dashboards/{dashboard_id}", { params: { path: { dashboard_id: dashboardId } }, signal })),
  });

export function addDashboard(projectId: number, name: string): Promise<Dashboard> {
  return unwrap(queryApi.POST("/api/dashboards", { body: { project_id: projectId, name } }));
}

export function addWidget(dashboardId: number, body: Schemas["NewWidget"]): Promise<Widget> {
  return unwrap(queryApi.POST("/api/dashboards/{dashboard_id}/widgets", { params: { path: { dashboard_id: dashboardId } }, body }));
}

const at = (dashboardId: number) => ({ params: { path: { dashboard_id: dashboardId } } });
const atWidget = (dashboardId: number, widgetId: number) => ({ params: { path: { dashboard_id: dashboardId, widget_id: widgetId } } });

export function changeDashboard(dashboardId: number, body: Schemas["DashboardChange"]): Promise<Dashboard> {
  return unwrap(queryApi.PATCH("/api/dashboards/{dashboard_id}", { ...at(dashboardId), body }));
}

export function copyDashboard(dashboardId: number): Promise<Dashboard> {
  return unwrap(queryApi.POST("/api/dashboards/{dashboard_id}/duplicate", { ...at(dashboardId), body: {} }));
}

export async function removeDashboard(dashboardId: number): Promise<void> {
  await queryApi.DELETE("/api/dashboards/{dashboard_id}", at(dashboardId));
}

export function changeWidget(dashboardId: number, widgetId: number, body: Schemas["WidgetChange"]): Promise<Widget> {
  return unwrap(queryApi.PATCH("/api/dashboards/{dashboard_id}/widgets/{widget_id}", { ...atWidget(dashboardId, widgetId), body }));
}

export function copyWidget(dashboardId: number, widgetId: number): Promise<Widget> {
  return unwrap(queryApi.POST("/api/dashboards/{dashboard_id}/widgets/{widget_id}/duplicate", { ...atWidget(dashboardId, widgetId), body: {} }));
}

export async function removeWidget(dashboardId: number, widgetId: number): Promise<void> {
  await queryApi.DELETE("/api/dashboards/{dashboard_id}/widgets/{widget_id}", atWidget(dashboardId, widgetId));
}

/** Every widget's answer or error, in one question. The key holds all that the answers follow from. */
export const runOptions = (dashboardId: number, version: number, range: Schemas["Run"]) =>
  queryOptions({
    queryKey: ["dashboard-run", dashboardId, version, range],
    queryFn: ({ signal }) => unwrap(queryApi.POST("/api/dashboards/{dashboard_id}/run", { ...at(dashboardId), body: range, signal })),
    placeholderData: keepPreviousData,
  });
