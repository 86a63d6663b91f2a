import type { Schemas } from "~/api/client";
import { readCommon, readList, readOneOf, readText, readWhole, type Common, type Search } from "~/features/insights/document";
import { describeFilters, describeRange, listWords, type Word } from "~/features/insights/words";

export const NODE_KINDS = ["$pageview", "$screen", "custom_event"] as const;
export type NodeKind = (typeof NODE_KINDS)[number];
export const KIND_LABELS: Record<NodeKind, string> = { $pageview: "pages", $screen: "screens", custom_event: "events" };

export interface PathsState extends Common {
  start?: string;
  end?: string;
  steps?: number;
  max_links?: number;
  min_weight?: number;
  include?: NodeKind[];
  exclude?: string[];
}

export function readPaths(search: Search): PathsState {
  const start = readText(search.start);
  const end = readText(search.end);
  const steps = readWhole(search.steps, 2, 20);
  const links = readWhole(search.max_links, 1, 1000);
  const weight = readWhole(search.min_weight, 1, Number.MAX_SAFE_INTEGER);
  const include = readList(search.include, (each) => readOneOf(each, NODE_KINDS));
  const exclude = readList(search.exclude, readText);
  return {
    ...readCommon(search),
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(steps === undefined ? {} : { steps }),
    ...(links === undefined ? {} : { max_links: links }),
    ...(weight === undefined || weight === 1 ? {} : { min_weight: weight }),
    ...(include.length > 0 ? { include: [...new Set(include)] } : {}),
    ...(exclude.length > 0 ? { exclude } : {}),
  };
}

export function pathsQuery(state: PathsState): Schemas["PathsQuery"] {
  return { ...state, steps: state.steps ?? 5, max_links: state.max_links ?? 30, date_from: state.date_from ?? "-7d" };
}

export function describePaths(state: PathsState): Word[] {
  const kinds = (state.include ?? [...NODE_KINDS]).map((kind) => KIND_LABELS[kind]);
  return [
    { text: "The ways that people take through " },
    { text: listWords(kinds, "and"), strong: true },
    ...(state.start === undefined ? [] : [{ text: ", from " }, { text: state.start, strong: true }]),
    ...(state.end === undefined ? [] : [{ text: ", to " }, { text: state.end, strong: true }]),
    ...describeFilters(state.filters),
    { text: ", in " },
    ...describeRange(state),
    { text: "." },
  ];
}
