import { useQuery } from "@tanstack/react-query";
import { dashboardOptions, type Dashboard, type Widget } from "~/features/dashboards/api";
import type { OriginSearch } from "~/features/dashboards/origin";
import type { Kind } from "~/features/insights/ask";

/** An origin that is known to be there. */
export interface Origin {
  dashboard: Dashboard;
  widget: Widget | null;
}

/** What an address names; null until it is found, and where it is gone. A widget of another kind is not meant. */
export function useOrigin({ dashboard, widget }: OriginSearch, kind: Kind, projectId: number): Origin | null {
  const found = useQuery({ ...dashboardOptions(dashboard ?? 0), enabled: dashboard !== undefined }).data;
  if (found?.project_id !== projectId) return null;
  return { dashboard: found, widget: found.widgets.find((each) => each.id === widget && each.kind === kind) ?? null };
}
