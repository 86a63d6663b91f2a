// The pictures in the docs: every screen, light and dark, of a platform that this starts and fills with `footfall demo`.
// From the root of the repository, after `make dashboard`; a minute and a half. Further words name the screens to take.
//
//   CHROMIUM=$(command -v chromium) node services/dashboard/web/tests/screens.mjs docs/screens
//
// UP=FILE, which holds what `footfall up --json` printed, takes them of a platform that runs and was filled before.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [folder, ...only] = process.argv.slice(2);
const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const PORTS = ["CAPTURE", "QUERY", "AUTH", "CONSUMER", "DASHBOARD", "CLICKHOUSE"];
const ON_PHONES = ["trends", "dashboard", "funnels"];

const command = (process.env.FOOTFALL ?? ".venv/bin/footfall").split(" ");
const footfall = (environment, ...words) => JSON.parse(execFileSync(command[0], [...command.slice(1), ...words, "--json"], { env: environment, encoding: "utf8" }));

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A platform with the demo shop in it, and how to end it. */
async function startPlatform() {
  const data = mkdtempSync(join(tmpdir(), "footfall-screens-"));
  const environment = { ...process.env, FOOTFALL_DATA_DIR: data, FOOTFALL_EVENTS_TTL_DAYS: "0" };
  for (const name of PORTS) environment[`FOOTFALL_${name}_PORT`] = String(await freePort());
  const process_ = spawn(command[0], [...command.slice(1), "up", "--json"], { env: environment, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => process_.once("exit", resolve));
  const [line] = await Promise.race([new Promise((resolve) => createInterface(process_.stdout).once("line", (text) => resolve([text]))), ended.then(() => [""])]);
  const up = JSON.parse(line || '{"status": "it ended"}');
  if (up.status !== "ready") throw new Error(`footfall up: ${up.error ?? up.status}`);
  const shop = footfall(environment, "demo");
  const end = async () => {
    process_.kill("SIGTERM");
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
  return { up, shop, end };
}

async function call(url, token, body) {
  const answer = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const month = { date_from: "-30d" };
const visits = { series: [{ event: "$pageview" }], ...month };
const number = (name, event, y) => ({
  name,
  kind: "trends",
  visualization: "number",
  layout: { x: 0, y, w: 3, h: 2 },
  query: { ...visits, series: [{ event, math: "unique_users", name: "People" }], compare: "previous_period" },
});
const WIDGETS = [
  number("Visitors", "$pageview", 0),
  number("Signed up", "signup", 2),
  { name: "Page views a day, by browser", kind: "trends", visualization: "area", layout: { x: 3, y: 0, w: 9, h: 4 }, query: { ...visits, breakdown: { property: "$browser" } } },
  { name: "From visit to purchase", kind: "funnels", visualization: "auto", layout: { x: 0, y: 4, w: 6, h: 4 }, query: { ...month, steps: [{ event: "$pageview" }, { event: "signup" }, { event: "purchase" }] } },
  { name: "New, returning, gone", kind: "lifecycle", visualization: "auto", layout: { x: 6, y: 4, w: 6, h: 4 }, query: { ...month, event: "$pageview" } },
];

/** Gives the shop a dashboard, and has somebody look around just now. */
async function furnish({ up, shop }) {
  const dashboard = await call(`${up.query_url}/api/dashboards`, up.operator_token, { name: "The shop this month", project_id: shop.project_id });
  for (const widget of WIDGETS) await call(`${up.query_url}/api/dashboards/${dashboard.id}/widgets`, up.operator_token, widget);
  const now = Date.now();
  const goods = ["lamp", "chair", "table", "carpet"];
  const batch = Array.from({ length: 240 }, (_, n) => ({
    event: n % 17 === 16 ? "purchase" : n % 3 === 1 ? "product_viewed" : "$pageview",
    distinct_id: `visitor-${n % 53}`,
    timestamp: new Date(now - ((240 - n) * 14 + (n * 7) % 11) * 1_000).toISOString(),
    properties: { product: goods[n % goods.length], utm_source: ["search", "newsletter"][n % 2], $browser: ["Chrome", "Safari", "Firefox"][n % 3], $device_type: ["Desktop", "Mobile"][n % 2] },
  }));
  batch.push({ event: "", distinct_id: "visitor-1", properties: { plan: "pro" } }, { event: "signup", properties: { plan: "free" } });
  await call(`${up.capture_url}/capture`, shop.write_key, { batch });
  return dashboard.id;
}

const asked = (path, query) => `${path}?${Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(JSON.stringify(value))}`).join("&")}`;
const screens = (dashboardId) => ({
  home: "/",
  dashboard: `/dashboards/${dashboardId}`,
  trends: asked("/trends", { ...visits, breakdown: { property: "$browser" }, compare: "previous_period" }),
  funnels: asked("/funnels", { ...month, steps: [{ event: "$pageview" }, { event: "signup" }, { event: "purchase" }], breakdown: { property: "$device_type" } }),
  retention: asked("/retention", { date_from: "-8w", period: "week", start: { event: "signup" }, return: { event: "$pageview" } }),
  paths: asked("/paths", { date_from: "-7d" }),
  lifecycle: asked("/lifecycle", { ...month, event: "$pageview" }),
  stickiness: asked("/stickiness", { ...month, series: [{ event: "$pageview" }] }),
  live: "/live",
  people: "/people",
  health: "/health",
  connect: "/connect",
  settings: "/settings",
});

const { up, shop, end } = process.env.UP
  ? { up: JSON.parse(readFileSync(process.env.UP, "utf8")), shop: { project_id: Number(process.env.PROJECT) }, end: async () => {} }
  : await startPlatform();
try {
  const dashboardId = process.env.UP
    ? (await call(`${up.query_url}/api/dashboards?project_id=${shop.project_id}`, up.operator_token)).results[0]?.id
    : await furnish({ up, shop });
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({ viewport: DESK, locale: "en-US", reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(`${up.dashboard_url}/sign-in`);
  await page.getByLabel("Email").fill(up.admin.email);
  await page.getByLabel("Password", { exact: true }).fill(up.admin.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(/\/p\//);
  await page.waitForTimeout(Number(process.env.PAUSE ?? 6_000)); // the Consumer has reported

  const take = async (name, path, { scheme, size, suffix }) => {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(`${up.dashboard_url}/p/${shop.project_id}${path}`);
    await page.waitForLoadState("networkidle", { timeout: 3_000 }).catch(() => {}); // the live stream never rests
    await page.evaluate(() => document.fonts.ready);
    await page.waitForTimeout(700);
    await page.screenshot({ path: `${folder}/${name}${suffix}.png` });
    console.log(`${name}${suffix}`);
  };
  for (const [name, path] of Object.entries(screens(dashboardId))) {
    if (only.length > 0 && !only.includes(name)) continue;
    await take(name, path, { scheme: "light", size: DESK, suffix: "" });
    await take(name, path, { scheme: "dark", size: DESK, suffix: "-dark" });
    if (!ON_PHONES.includes(name)) continue;
    await take(name, path, { scheme: "light", size: PHONE, suffix: "-phone" });
    await take(name, path, { scheme: "dark", size: PHONE, suffix: "-phone-dark" });
  }
  await browser.close();
} finally {
  await end();
}
