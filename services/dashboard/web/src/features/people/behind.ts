/** The people behind a point: whom one number of an answer counts. */
import type { Schemas } from "~/api/client";

export interface Behind {
  /** Which number it is, in words. */
  title: string;
  /** The same as the API names it. */
  point: Schemas["PersonsOfPoint"]["point"];
}

/** Somebody wants to see who is behind a point: one list, or one for each line to choose from. */
export type OnPeople = (lists: readonly Behind[]) => void;
