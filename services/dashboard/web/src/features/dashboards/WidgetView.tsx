import { readTrends } from "~/features/trends/document";
import { TrendsTable, TrendsView } from "~/features/trends/TrendsView";
import { CHARTS } from "~/features/trends/document";
import { FunnelView, type FunnelAnswer } from "~/features/funnels/FunnelView";
import { readOneOf } from "~/features/insights/document";
import { LifecycleView, type LifecycleAnswer } from "~/features/lifecycle/LifecycleView";
import { PathsView, type PathsAnswer } from "~/features/paths/PathsView";
import { RetentionView, type RetentionAnswer } from "~/features/retention/RetentionView";
import { StickinessView, type StickinessAnswer } from "~/features/stickiness/StickinessView";
import type { TrendsAnswer } from "~/features/trends/shape";
import type { Widget, WidgetResult } from "~/features/dashboards/api";

/** A widget's answer, drawn as its kind is. */
export function WidgetView({ widget, result, height }: { widget: Widget; result: NonNullable<WidgetResult["result"]>; height: number }) {
  switch (widget.kind) {
    case "trends": {
      const answer = result as unknown as TrendsAnswer;
      const chart = readOneOf(widget.visualization, CHARTS) ?? readTrends(widget.query).chart ?? "line";
      if (chart === "table") return <TrendsTable answer={answer} label={widget.name} />;
      const legend = answer.series.length > 1 && chart !== "number" ? 32 : 0;
      return <TrendsView answer={answer} chart={chart} label={widget.name} height={Math.max(90, height - legend)} small />;
    }
    case "funnels":
      return <FunnelView answer={result as unknown as FunnelAnswer} label={widget.name} height={height} small />;
    case "retention":
      return <RetentionView answer={result as unknown as RetentionAnswer} label={widget.name} small />;
    case "lifecycle":
      return <LifecycleView answer={result as unknown as LifecycleAnswer} label={widget.name} height={Math.max(90, height - 32)} small />;
    case "stickiness":
      return <StickinessView answer={result as unknown as StickinessAnswer} label={widget.name} height={Math.max(90, height - 48)} />;
    case "paths":
      return <PathsView answer={result as unknown as PathsAnswer} label={widget.name} height={Math.max(160, height)} />;
    default:
      return <p className="py-6 text-center text-13 text-soft">This version cannot draw {widget.kind} yet.</p>;
  }
}
