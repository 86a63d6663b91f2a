import type { Dashboard, Widget } from "~/features/dashboards/api";
import { askedOver, chartOf } from "~/features/dashboards/widgets";
import { funnelQuery, readFunnels } from "~/features/funnels/document";
import type { Range } from "~/features/insights/document";
import { lifecycleQuery, readLifecycle } from "~/features/lifecycle/document";
import { pathsQuery, readPaths } from "~/features/paths/document";
import { readRetention, retentionQuery } from "~/features/retention/document";
import { readStickiness, stickinessQuery } from "~/features/stickiness/document";
import { readTrends, trendsQuery } from "~/features/trends/document";

/** Where a widget's question can be looked at, over a range if one is given, and changed: a widget is a link like any view. */
export function linkOf(dashboard: Dashboard, widget: Widget, range: Range = {}) {
  const params = { projectId: String(dashboard.project_id) };
  const query = askedOver(widget.query, range);
  const saved = { dashboard: dashboard.id, widget: widget.id };
  switch (widget.kind) {
    case "trends":
      return { to: "/p/$projectId/trends", params, search: { ...readTrends({ ...query, chart: chartOf(widget) }), ...saved } } as const;
    case "funnels":
      return { to: "/p/$projectId/funnels", params, search: { ...readFunnels(query), ...saved } } as const;
    case "retention":
      return { to: "/p/$projectId/retention", params, search: { ...readRetention(query), ...saved } } as const;
    case "lifecycle":
      return { to: "/p/$projectId/lifecycle", params, search: { ...readLifecycle(query), ...saved } } as const;
    case "stickiness":
      return { to: "/p/$projectId/stickiness", params, search: { ...readStickiness(query), ...saved } } as const;
    case "paths":
      return { to: "/p/$projectId/paths", params, search: { ...readPaths(query), ...saved } } as const;
    default:
      return null;
  }
}

/** A widget's question as its page asks it, with what is usual filled in; null where there is no such page. */
export function questionOf({ kind, query }: Pick<Widget, "kind" | "query">) {
  switch (kind) {
    case "trends":
      return trendsQuery(readTrends(query));
    case "funnels":
      return funnelQuery(readFunnels(query));
    case "retention":
      return retentionQuery(readRetention(query));
    case "lifecycle":
      return lifecycleQuery(readLifecycle(query));
    case "stickiness":
      return stickinessQuery(readStickiness(query));
    case "paths":
      return pathsQuery(readPaths(query));
    default:
      return null;
  }
}
