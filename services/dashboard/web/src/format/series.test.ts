import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** As somebody sees who has no cones of one kind (Machado, Oliveira and Fernandes 2009, on linear sRGB). */
const EYES = {
  "all cones": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};
type Triple = [number, number, number];

const times = (rows: number[][], [x, y, z]: Triple) => rows.map(([a = 0, b = 0, c = 0]) => a * x + b * y + c * z) as Triple;

/** Linear sRGB of an OKLCH colour, as far as a screen can show it. */
function toLinear([lightness, chroma, hue]: Triple): Triple {
  const [a, b] = [chroma * Math.cos((hue * Math.PI) / 180), chroma * Math.sin((hue * Math.PI) / 180)];
  const cones = times([[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.291485548]], [lightness, a, b]).map((each) => each ** 3) as Triple;
  const rgb = times([[4.0767416621, -3.3077115913, 0.2309699292], [-1.2684380046, 2.6097574011, -0.3413193965], [-0.0041960863, -0.7034186147, 1.707614701]], cones);
  return rgb.map((each) => Math.min(1, Math.max(0, each))) as Triple;
}

function toLab(rgb: Triple): Triple {
  const light = rgb.map((each) => Math.max(0, each)) as Triple;
  const cones = times([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]], light).map(Math.cbrt) as Triple;
  return times([[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]], cones);
}

const styles = readFileSync(new URL("../styles.css", import.meta.url), "utf8");
const read = (pattern: RegExp) => [...styles.matchAll(pattern)].map(([, text = ""]) => text.split(" ").map(Number) as Triple);
const all = read(/--series-\d: oklch\(([^)]*)\)/g);
const surfaces = read(/--surface: oklch\(([^)]*)\)/g);
const luminance = ([r, g, b]: Triple) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

describe.each([
  ["light", all.slice(0, 8), surfaces[0]],
  ["dark", all.slice(8), surfaces[1]],
] as const)("the eight hues, %s,", (_, colours, surface = [0, 0, 0]) => {
  it.each(Object.entries(EYES))("stay apart for %s", (__, eye) => {
    const seen = colours.map((colour) => toLab(times(eye, toLinear(colour))));
    const pairs = seen.flatMap((one, index) => seen.slice(index + 1).map((other) => Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2])));
    expect(pairs).toHaveLength(28);
    expect(Math.min(...pairs)).toBeGreaterThan(0.06);
  });

  it("stand out from the surface by 3 to 1", () => {
    const ground = luminance(toLinear(surface));
    for (const colour of colours) {
      const [low = 0, high = 0] = [ground, luminance(toLinear(colour))].sort((one, other) => one - other);
      expect((high + 0.05) / (low + 0.05)).toBeGreaterThanOrEqual(3);
    }
  });
});
