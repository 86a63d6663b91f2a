// The pictures in the docs: every screen of a running Footfall that `footfall demo` has filled, light and dark.
//
//   DASHBOARD_URL=… EMAIL=… PASSWORD=… PROJECT=1 CHROMIUM=chromium node tests/screens.mjs ../../../docs/screens [name…]
import { chromium } from "playwright-core";

const { DASHBOARD_URL: base, EMAIL, PASSWORD, PROJECT, CHROMIUM } = process.env;
const [folder, ...only] = process.argv.slice(2);
const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
const context = await browser.newContext({ viewport: DESK, locale: "en-US", reducedMotion: "reduce" });
const page = await context.newPage();
await page.goto(`${base}/sign-in`);
await page.getByLabel("Email").fill(EMAIL);
await page.getByLabel("Password").fill(PASSWORD);
await page.getByRole("button", { name: "Sign in" }).click();
await page.waitForURL(/\/p\//);
const { access_token } = await (await page.request.post(`${base}/auth/login`, { data: { email: EMAIL, password: PASSWORD } })).json();
const { results } = await (
  await page.request.get(`${base}/api/dashboards?project_id=${PROJECT}`, { headers: { authorization: `Bearer ${access_token}` } })
).json();

const asked = (path, query) => `${path}?${Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(JSON.stringify(value))}`).join("&")}`;
const month = { date_from: "-30d" };
const SCREENS = {
  home: "/",
  dashboard: `/dashboards/${results[0]?.id}`,
  trends: asked("/trends", { ...month, series: [{ event: "$pageview" }], breakdown: { property: "$browser" }, compare: "previous_period" }),
  funnels: asked("/funnels", { ...month, steps: [{ event: "$pageview" }, { event: "signup" }, { event: "purchase" }], breakdown: { property: "$device_type" } }),
  "funnels-time": asked("/funnels", { ...month, steps: [{ event: "$pageview" }, { event: "signup" }], view: "time_to_convert" }),
  retention: asked("/retention", { date_from: "-8w", period: "week", start: { event: "signup" } }),
  paths: asked("/paths", { date_from: "-7d" }),
  lifecycle: asked("/lifecycle", { ...month, interval: "day" }),
  stickiness: asked("/stickiness", month),
  live: "/live",
  people: "/people",
  health: "/health",
  connect: "/connect",
  settings: "/settings",
};

async function take(name, path, { scheme, size, suffix }) {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: scheme });
  await page.goto(`${base}/p/${PROJECT}${path}`);
  await page.waitForLoadState("networkidle", { timeout: 15_000 }).catch(() => {}); // the live stream never rests
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(700);
  await page.screenshot({ path: `${folder}/${name}${suffix}.png` });
  console.log(`${name}${suffix}`);
}

for (const [name, path] of Object.entries(SCREENS)) {
  if (only.length > 0 && !only.includes(name)) continue;
  await take(name, path, { scheme: "light", size: DESK, suffix: "" });
  await take(name, path, { scheme: "dark", size: DESK, suffix: "-dark" });
  if (name === "trends") await take(name, path, { scheme: "light", size: PHONE, suffix: "-phone" });
  if (name === "dashboard") await take(name, path, { scheme: "dark", size: PHONE, suffix: "-phone-dark" });
}
await browser.close();
