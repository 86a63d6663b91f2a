/** Paths as a Sankey diagram: thickest on top. */
import { sankey, type SankeyLink, type SankeyNode } from "d3-sankey";
import type { Schemas } from "~/api/client";

type Link = Schemas["Link"];

export interface FlowNode {
  id: string;
  step: number;
  name: string;
}
interface FlowLink {
  source: string;
  target: string;
  value: number;
  seconds: number;
}
export type PlacedNode = SankeyNode<FlowNode, FlowLink>;
export type PlacedLink = SankeyLink<FlowNode, FlowLink>;

/** Half the height of a name, which may be more than its node has. */
const HALF_NAME = 8;

/** `2_/pricing` is /pricing at the second step. */
export function readNode(id: string): FlowNode {
  const found = /^(\d+)_(.*)$/s.exec(id);
  return { id, step: Number(found?.[1] ?? 1), name: found?.[2] ?? id };
}

export function placeFlow(links: readonly Link[], width: number, height: number): { nodes: PlacedNode[]; links: PlacedLink[] } {
  const ids = [...new Set(links.flatMap(({ source, target }) => [source, target]))];
  const nodes = ids.map(readNode);
  const first = Math.min(...nodes.map(({ step }) => step));
  const layout = sankey<FlowNode, FlowLink>()
    .nodeId((node) => node.id)
    .nodeWidth(10)
    .nodePadding(14)
    .nodeAlign((node) => (node as unknown as FlowNode).step - first)
    .nodeSort((one, other) => (other.value ?? 0) - (one.value ?? 0))
    .linkSort((one, other) => other.value - one.value)
    .extent([
      [1, HALF_NAME],
      [width - 1, height - HALF_NAME],
    ]);
  return layout({ nodes, links: links.map(({ source, target, count, avg_seconds }) => ({ source, target, value: count, seconds: avg_seconds })) });
}

export function nodeOf(end: PlacedLink["source"]): PlacedNode {
  return end as PlacedNode;
}

/** Everything that flows into or out of a node, however far away. */
export function traceFlow(id: string, links: readonly PlacedLink[]): Set<PlacedLink> {
  const traced = new Set<PlacedLink>();
  const walk = (from: string, forward: boolean) => {
    for (const link of links) {
      const here = nodeOf(forward ? link.source : link.target).id;
      if (here !== from || traced.has(link)) continue;
      traced.add(link);
      walk(nodeOf(forward ? link.target : link.source).id, forward);
    }
  };
  walk(id, true);
  walk(id, false);
  return traced;
}
