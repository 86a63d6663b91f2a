/** Names keep their colour from chart to chart: *Chrome* is the same everywhere. */
export const HUES = 8;
export const OTHER = "$other";

function hash(name: string): number {
  let value = 2_166_136_261;
  for (let index = 0; index < name.length; index++) value = Math.imul(value ^ name.charCodeAt(index), 16_777_619);
  return (value ^ (value >>> 13)) >>> 0;
}

/**
 * A colour's number (1 to 8, 0 for the grey of “other”) for each name, in the order of `names`.
 *
 * Each name has a hue of its own by what it is called; where two of a chart want the same one, the later one takes the
 * next free. The ninth and on are grey.
 */
export function assignColours(names: readonly string[]): number[] {
  const taken = new Set<number>();
  return names.map((name) => {
    if (name === OTHER || taken.size >= HUES) return 0;
    let hue = hash(name) % HUES;
    while (taken.has(hue)) hue = (hue + 1) % HUES;
    taken.add(hue);
    return hue + 1;
  });
}

/** The token of a colour's number, for CSS. */
export function colourOf(number: number): string {
  return number === 0 ? "var(--series-other)" : `var(--series-${number})`;
}
