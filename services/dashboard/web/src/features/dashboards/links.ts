import type { Dashboard, Widget } from "~/features/dashboards/api";
import { originOf } from "~/features/dashboards/origin";
import type { DashboardSearch } from "~/features/dashboards/search";
import { askedOver, chartOf, spelledOut } from "~/features/dashboards/widgets";
import { funnelQuery, readFunnels } from "~/features/funnels/document";
import type { Range, Search } from "~/features/insights/document";
import { lifecycleQuery, readLifecycle } from "~/features/lifecycle/document";
import { pathsQuery, readPaths } from "~/features/paths/document";
import { readRetention, retentionQuery } from "~/features/retention/document";
import { readStickiness, stickinessQuery } from "~/features/stickiness/document";
import { readTrends, trendsQuery } from "~/features/trends/document";

/** Where a widget of a dashboard that is seen so can be looked at, over that range or another, and changed: a widget is a link like any view. */
export function linkOf(dashboard: Dashboard, widget: Widget, seen: DashboardSearch, range: Range = seen) {
  const params = { projectId: String(dashboard.project_id) };
  const query = askedOver(spelledOut(widget.query), range);
  const origin = originOf(dashboard.id, seen, widget.id);
  switch (widget.kind) {
    case "trends":
      return { to: "/p/$projectId/trends", params, search: { ...readTrends({ ...query, chart: chartOf(widget) }), ...origin } } as const;
    case "funnels":
      return { to: "/p/$projectId/funnels", params, search: { ...readFunnels(query), ...origin } } as const;
    case "retention":
      return { to: "/p/$projectId/retention", params, search: { ...readRetention(query), ...origin } } as const;
    case "lifecycle":
      return { to: "/p/$projectId/lifecycle", params, search: { ...readLifecycle(query), ...origin } } as const;
    case "stickiness":
      return { to: "/p/$projectId/stickiness", params, search: { ...readStickiness(query), ...origin } } as const;
    case "paths":
      return { to: "/p/$projectId/paths", params, search: { ...readPaths(query), ...origin } } as const;
    default:
      return null;
  }
}

const asked: Partial<Record<string, (query: Search) => object | null>> = {
  trends: (query) => trendsQuery(readTrends(query)),
  funnels: (query) => funnelQuery(readFunnels(query)),
  retention: (query) => retentionQuery(readRetention(query)),
  lifecycle: (query) => lifecycleQuery(readLifecycle(query)),
  stickiness: (query) => stickinessQuery(readStickiness(query)),
  paths: (query) => pathsQuery(readPaths(query)),
};

/** A widget's question as its page asks it, spelled out; null where there is no such page. */
export function questionOf({ kind, query }: Pick<Widget, "kind" | "query">): object | null {
  return asked[kind]?.(spelledOut(query)) ?? null;
}
