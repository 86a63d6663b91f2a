import { resolveColour } from "~/charts/plot";
import { saveAs } from "~/charts/save";
import { wrap } from "~/charts/wrap";

const MARGIN = 24;
const LEAST_WIDTH = 480;

/** What is drawn in `element`, all of it with the question above, as a PNG in the resolution of the screen. */
export async function savePicture(element: HTMLElement, title: string, name: string): Promise<void> {
  const { toCanvas } = await import("html-to-image");
  const width = Math.max(element.scrollWidth, ...[...element.querySelectorAll("[role=region]")].map(({ scrollWidth }) => scrollWidth));
  const scale = devicePixelRatio;
  const chart = await toCanvas(element, {
    pixelRatio: scale,
    width,
    style: { width: `${width}px` },
    fontEmbedCSS: await embedFonts(),
    // What scrolls is drawn in full, and what only screen readers see is not drawn.
    filter: (node) => !(node instanceof HTMLElement && node.classList.contains("sr-only")),
  });
  const picture = document.createElement("canvas");
  picture.width = Math.max(chart.width, LEAST_WIDTH * scale) + 2 * MARGIN * scale;
  const context = picture.getContext("2d");
  if (context === null) return;
  const font = `500 ${14 * scale}px "Inter Variable", sans-serif`;
  context.font = font;
  const lines = wrap(title, (text) => context.measureText(text).width, picture.width - 2 * MARGIN * scale);
  const top = (MARGIN + lines.length * 20 + 12) * scale;
  picture.height = top + chart.height + MARGIN * scale;
  context.fillStyle = resolveColour("var(--surface)");
  context.fillRect(0, 0, picture.width, picture.height);
  context.font = font;
  context.fillStyle = resolveColour("var(--text)");
  lines.forEach((line, index) => context.fillText(line, MARGIN * scale, (MARGIN + 14 + index * 20) * scale));
  context.drawImage(chart, MARGIN * scale, top);
  const blob = await new Promise<Blob | null>((resolve) => picture.toBlob(resolve));
  if (blob !== null) saveAs(blob, name);
}

/** The faces that are in use, with their files in them: what a picture is drawn from loads nothing. */
async function embedFonts(): Promise<string> {
  const used = new Set([...document.fonts].filter(({ status }) => status === "loaded").map(({ unicodeRange }) => normal(unicodeRange)));
  const faces = [...document.styleSheets].flatMap((sheet) =>
    [...sheet.cssRules].flatMap((rule) =>
      rule instanceof CSSFontFaceRule && used.has(normal(rule.style.getPropertyValue("unicode-range"))) ? [embedFile(rule.cssText, sheet.href ?? location.href)] : [],
    ),
  );
  return (await Promise.all(faces)).join("\n");
}

const normal = (range: string) => range.toLowerCase().replaceAll(/\s/g, "");

async function embedFile(face: string, base: string): Promise<string> {
  const path = /url\("?([^")]+)"?\)/.exec(face)?.[1];
  if (path === undefined) return face;
  const bytes = new Uint8Array(await (await fetch(new URL(path, base))).arrayBuffer());
  const text = bytes.reduce((sum, byte) => sum + String.fromCharCode(byte), "");
  return face.replace(path, `data:font/woff2;base64,${btoa(text)}`);
}
