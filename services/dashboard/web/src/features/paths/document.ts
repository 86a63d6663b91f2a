import type { Schemas } from "~/api/client";
import { readFilters, readList, readOneOf, readRange, readText, type FilterNode, type Range, type Search } from "~/features/insights/document";
import { describeFilters, listWords, rangePhrase, type Word } from "~/features/insights/words";

export const NODE_KINDS = ["$pageview", "$screen", "custom_event"] as const;
export type NodeKind = (typeof NODE_KINDS)[number];
export const KIND_LABELS: Record<NodeKind, string> = { $pageview: "pages", $screen: "screens", custom_event: "events" };

export interface PathsState extends Range {
  start?: string;
  end?: string;
  steps?: number;
  max_links?: number;
  include?: NodeKind[];
  exclude?: string[];
  filters?: FilterNode[];
}

export function readPaths(search: Search): PathsState {
  const start = readText(search.start);
  const end = readText(search.end);
  const steps = Number(search.steps);
  const links = Number(search.max_links);
  const include = readList(search.include, (each) => readOneOf(each, NODE_KINDS));
  const exclude = readList(search.exclude, readText);
  return {
    ...readRange(search),
    ...readFilters(search),
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(Number.isInteger(steps) && steps >= 2 && steps <= 20 ? { steps } : {}),
    ...(Number.isInteger(links) && links >= 1 && links <= 1000 ? { max_links: links } : {}),
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
    { text: rangePhrase(state), strong: true },
    { text: "." },
  ];
}
