import { sankeyLinkHorizontal } from "d3-sankey";
import { useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { Schemas } from "~/api/client";
import { DataTable, type Column } from "~/charts/DataTable";
import { behindLink, behindNode } from "~/features/paths/behind";
import { nodeOf, placeFlow, readNode, traceFlow } from "~/features/paths/flow";
import type { OnPeople } from "~/features/people/behind";
import { compact, duration, exact } from "~/format/numbers";
import { useStops } from "~/ui/useStops";
import { useWidth } from "~/ui/useWidth";

export type PathsAnswer = Schemas["PathsAnswer"];

const LEAST_COLUMN = 140;
const drawLink = sankeyLinkHorizontal();

interface PathsViewProps {
  answer: PathsAnswer;
  label: string;
  height?: number;
  onPeople: OnPeople;
}

/**
 * Sankey, the thickest on top; pointing at a node, or reaching it with keys, traces its flow. Nodes and links lead to
 * their people; arrow keys walk from each node to what leaves it, and on to the next.
 */
export function PathsView({ answer, label, height = 460, onPeople }: PathsViewProps) {
  const holder = useRef<HTMLDivElement>(null);
  const drawing = useRef<SVGSVGElement>(null);
  const keys = useStops(drawing);
  const helpId = useId();
  const room = useWidth(holder);
  const [traced, setTraced] = useState<string | null>(null);
  const columns = new Set(answer.links.flatMap(({ source, target }) => [readNode(source).step, readNode(target).step])).size;
  const width = Math.max(room, columns * LEAST_COLUMN);
  const column = width / Math.max(1, columns);
  const plotWidth = width - column + 20;
  const placed = useMemo(() => (room > 0 ? placeFlow(answer.links, plotWidth, height) : null), [answer, plotWidth, height, room]);
  const lit = useMemo(() => (traced === null || placed === null ? null : traceFlow(traced, placed.links)), [traced, placed]);
  const onward = useMemo(() => placed?.nodes.flatMap((node) => [node, ...(node.sourceLinks ?? [])]) ?? [], [placed]);
  return (
    <div ref={holder} className="relative overflow-x-auto" data-testid="paths" style={{ minHeight: height }}>
      {placed ? (
        <svg ref={drawing} width={width} height={height} className="block" role="group" aria-label={label} aria-describedby={helpId} {...keys}>
          {placed.links.map((link) => {
            const [source, target] = [nodeOf(link.source), nodeOf(link.target)];
            return (
              <path
                key={`${source.id}\n${target.id}`}
                d={drawLink(link) ?? ""}
                fill="none"
                stroke="var(--accent)"
                strokeWidth={Math.max(1, link.width ?? 1)}
                strokeOpacity={lit === null ? 0.22 : lit.has(link) ? 0.5 : 0.06}
                className="cursor-pointer transition-[stroke-opacity] duration-120 outline-none hover:[stroke-opacity:0.5] focus-visible:[stroke-opacity:0.8]"
                data-stop={onward.indexOf(link)}
                {...opening(() => onPeople([behindLink(source.id, target.id)]))}
              >
                <title>{`${source.name} → ${target.name}: ${exact(link.value)} paths, ${duration(link.seconds)} on average`}</title>
              </path>
            );
          })}
          {placed.nodes.map((node) => {
            const top = node.y0 ?? 0;
            const middle = (top + (node.y1 ?? 0)) / 2;
            return (
              <g
                key={node.id}
                className="cursor-pointer"
                data-stop={onward.indexOf(node)}
                {...opening(() => onPeople([behindNode(node.id)]))}
                onMouseEnter={() => setTraced(node.id)}
                onMouseLeave={() => setTraced(null)}
                onFocus={() => setTraced(node.id)}
                onBlur={() => setTraced(null)}
              >
                <title>{`Step ${node.step}: ${node.name}, ${exact(node.value)} paths`}</title>
                <rect x={node.x0} y={top} width={10} height={Math.max(2, (node.y1 ?? 0) - top)} rx={2} fill="var(--accent)" />
                <text direction="ltr" x={(node.x1 ?? 0) + 6} y={middle} dy="0.35em" fontSize={12} fill="var(--text)">
                  {`\u2068${shorten(node.name, Math.floor((column - 46) / 6.1))}\u2069`}
                  <tspan fill="var(--text-soft)" dx={6}>
                    {compact(node.value)}
                  </tspan>
                </text>
              </g>
            );
          })}
        </svg>
      ) : null}
      <p id={helpId} className="sr-only">
        Arrow keys walk along the paths. Enter shows who took one.
      </p>
    </div>
  );
}

/** What makes a part of a drawing a button. */
function opening(open: () => void) {
  return {
    role: "button",
    tabIndex: -1,
    onClick: open,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open();
    },
  } as const;
}

function shorten(name: string, most: number): string {
  const half = Math.max(3, Math.floor((most - 1) / 2));
  return name.length <= most ? name : `${name.slice(0, half)}…${name.slice(-half)}`;
}

export function PathsTable({ answer, label, onPeople }: { answer: PathsAnswer; label: string; onPeople: OnPeople }) {
  type Link = Schemas["Link"];
  const columns: Column<Link>[] = [
    { key: "source", label: "From", value: (row) => readNode(row.source).name },
    { key: "target", label: "To", value: (row) => readNode(row.target).name },
    { key: "step", label: "Step", numeric: true, value: (row) => readNode(row.source).step },
    {
      key: "count",
      label: "Paths",
      numeric: true,
      value: (row) => row.count,
      show: (row) => exact(row.count),
      onPick: (row) => () => onPeople([behindLink(row.source, row.target)]),
    },
    { key: "seconds", label: "Average time", numeric: true, value: (row) => row.avg_seconds, show: (row) => duration(row.avg_seconds) },
  ];
  return <DataTable caption={`${label} Numbers as a table`} columns={columns} rows={answer.links} rowKey={(row) => `${row.source}\n${row.target}`} most={20} />;
}
