// The first load's script must stay below 200 kB, packed. Charts come with the pages that show them.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 200_000;
const built = new URL("../../src/footfall_dashboard/static/", import.meta.url);
const page = readFileSync(new URL("index.html", built), "utf8");
const scripts = [...page.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map((found) => found[1]);
const size = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, built)), { level: 9 }).length, 0);

console.log(`First load: ${scripts.length} scripts, ${(size / 1000).toFixed(1)} kB packed of ${LIMIT / 1000} kB`);
if (scripts.length === 0 || size > LIMIT) {
  console.error(`The first load is too large: ${scripts.join(", ")}`);
  process.exit(1);
}
