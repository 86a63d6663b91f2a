/** Names and values in what is known of people, the most frequent first. */
type Properties = Readonly<Record<string, unknown>>;

export function countNames(people: readonly Properties[]): { property: string; count: number }[] {
  return count(people.flatMap(Object.keys)).map(([property, times]) => ({ property, count: times }));
}

/** Texts, numbers and booleans that contain `search`, in capitals or not. */
export function countValues(people: readonly Properties[], property: string, search: string): { value: string; count: number }[] {
  const values = people.flatMap(({ [property]: value }) => (["string", "number", "boolean"].includes(typeof value) ? [String(value)] : []));
  const wanted = search.toLowerCase();
  return count(values.filter((value) => value.toLowerCase().includes(wanted))).map(([value, times]) => ({ value, count: times }));
}

function count(texts: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort((one, other) => other[1] - one[1] || one[0].localeCompare(other[0]));
}
