/** A part of what an address says, where undefined takes something away. */
export type Change<State> = Partial<{ [Name in keyof State]: State[Name] | undefined }>;

/** Changes an address piece by piece. */
export function putSearch<State extends object>(navigate: (update: (old: State) => State) => void): (part: Change<State>) => void {
  return (part) => navigate((old) => merge(old, part));
}

export function merge<State extends object>(old: State, part: Change<State>): State {
  return Object.fromEntries(Object.entries({ ...old, ...part }).filter(([, value]) => value !== undefined)) as State;
}
