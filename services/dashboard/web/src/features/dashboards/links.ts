import type { Widget } from "~/features/dashboards/api";
import { readFunnels } from "~/features/funnels/document";
import { readLifecycle } from "~/features/lifecycle/document";
import { readPaths } from "~/features/paths/document";
import { readRetention } from "~/features/retention/document";
import { readStickiness } from "~/features/stickiness/document";
import { readTrends } from "~/features/trends/document";

/** Where a widget's question can be looked at and changed: a widget is a link like any view. */
export function linkOf(widget: Widget, projectId: string) {
  const params = { projectId };
  switch (widget.kind) {
    case "trends":
      return { to: "/p/$projectId/trends", params, search: readTrends({ ...widget.query, chart: widget.visualization }) } as const;
    case "funnels":
      return { to: "/p/$projectId/funnels", params, search: readFunnels(widget.query) } as const;
    case "retention":
      return { to: "/p/$projectId/retention", params, search: readRetention(widget.query) } as const;
    case "lifecycle":
      return { to: "/p/$projectId/lifecycle", params, search: readLifecycle(widget.query) } as const;
    case "stickiness":
      return { to: "/p/$projectId/stickiness", params, search: readStickiness(widget.query) } as const;
    case "paths":
      return { to: "/p/$projectId/paths", params, search: readPaths(widget.query) } as const;
    default:
      return null;
  }
}
