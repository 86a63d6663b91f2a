import type { Widget, WidgetResult } from "~/features/dashboards/api";
import { chartOf } from "~/features/dashboards/widgets";
import { FunnelView, type FunnelAnswer } from "~/features/funnels/FunnelView";
import { LifecycleView, type LifecycleAnswer } from "~/features/lifecycle/LifecycleView";
import { PathsView, type PathsAnswer } from "~/features/paths/PathsView";
import type { OnPeople } from "~/features/people/behind";
import { RetentionView, type RetentionAnswer } from "~/features/retention/RetentionView";
import { StickinessView, type StickinessAnswer } from "~/features/stickiness/StickinessView";
import { countsPeople } from "~/features/trends/document";
import type { TrendsAnswer } from "~/features/trends/shape";
import { TrendsTable, TrendsView } from "~/features/trends/TrendsView";

interface WidgetViewProps {
  widget: Widget;
  result: NonNullable<WidgetResult["result"]>;
  height: number;
  onPeople: OnPeople;
}

/** A widget's answer, drawn as its kind is. */
export function WidgetView({ widget, result, height, onPeople }: WidgetViewProps) {
  switch (widget.kind) {
    case "trends": {
      const answer = result as unknown as TrendsAnswer;
      const chart = chartOf(widget) ?? "line";
      const behind = countsPeople(widget.query) ? onPeople : undefined;
      if (chart === "table") return <TrendsTable answer={answer} label={`${widget.name}.`} onPeople={behind} />;
      const legend = answer.series.length > 1 && chart !== "number" ? 32 : 0;
      return <TrendsView answer={answer} chart={chart} label={widget.name} height={Math.max(90, height - legend)} small onPeople={behind} />;
    }
    case "funnels":
      return <FunnelView answer={result as unknown as FunnelAnswer} label={widget.name} height={height} small onPeople={onPeople} />;
    case "retention":
      return <RetentionView answer={result as unknown as RetentionAnswer} label={widget.name} small onPeople={onPeople} />;
    case "lifecycle":
      return <LifecycleView answer={result as unknown as LifecycleAnswer} label={widget.name} height={Math.max(90, height - 32)} small onPeople={onPeople} />;
    case "stickiness": {
      const answer = result as unknown as StickinessAnswer;
      const legend = answer.series.length > 1 ? 24 : 0;
      return <StickinessView answer={answer} label={widget.name} height={Math.max(90, height - 48 - legend)} onPeople={onPeople} />;
    }
    case "paths":
      return <PathsView answer={result as unknown as PathsAnswer} label={widget.name} height={Math.max(160, height)} onPeople={onPeople} />;
    default:
      return <p className="py-6 text-center text-13 text-soft">This version cannot draw {widget.kind} yet.</p>;
  }
}
