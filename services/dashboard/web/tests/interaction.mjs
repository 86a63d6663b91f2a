// How soon a screen shows what somebody did, on a chart of 25 series over 90 days: from the event until the first frame
// that has the change in it, in milliseconds, and what each cost the page's thread, whatever else the machine did.
// benchmarks/interaction.py starts what it needs and calls it.
import { chromium } from "playwright-core";

const { DASHBOARD_URL: base, CHROMIUM, EMAIL, PASSWORD, PROJECT, EVENT, PROPERTY } = process.env;
const MOVES = 40;

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US" })).newPage();
await page.addInitScript(() => {
  const shown = (globalThis.shown = []);
  let began = null;
  for (const type of ["mousemove", "click", "keydown"]) addEventListener(type, (event) => (began ??= event.timeStamp), true);
  const changed = () => {
    if (began === null) return;
    const from = began;
    began = null;
    // What follows a frame's callbacks at once comes after its paint.
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => shown.push(performance.now() - from);
      port2.postMessage(null);
    });
  };
  new MutationObserver(changed).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  const { stroke } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.stroke = function (...path) {
    changed();
    return stroke.apply(this, path);
  };
});

const inspector = await page.context().newCDPSession(page);
await inspector.send("Performance.enable", { timeDomain: "threadTicks" });
/** Seconds that the page's thread has worked. */
async function worked() {
  const { metrics } = await inspector.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration").value;
}

const figures = {};
/** Does something a number of times; notes the median and the worst of them, without what came before. */
async function measure(name, times, act) {
  await page.waitForTimeout(500);
  await page.evaluate(() => (globalThis.shown.length = 0));
  const before = await worked();
  for (let n = 0; n < times; n++) {
    await act(n);
    await page.waitForTimeout(120);
  }
  const work = ((await worked()) - before) * 1000;
  const took = (await page.evaluate(() => globalThis.shown)).sort((one, other) => one - other);
  if (took.length === 0) throw new Error(`${name} changed nothing`);
  figures[name] = { times: took.length, median: took[Math.floor(took.length / 2)], worst: took.at(-1), work: work / times };
}

/** A click where something is, which was looked up before: looking up by role costs the page more than a click. */
async function clicks(locator) {
  const { x, y, width, height } = await locator.boundingBox();
  return () => page.mouse.click(x + width / 2, y + height / 2);
}

await page.goto(`${base}/sign-in`);
await page.getByLabel("Email").fill(EMAIL);
await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
await page.getByRole("button", { name: "Sign in" }).click();
await page.waitForURL(/\/p\//);

const question = { date_from: "-90d", series: [{ event: EVENT }], breakdown: { property: PROPERTY, limit: 25 } };
for (const chart of ["line", "area", "bar"]) {
  const address = Object.entries({ ...question, chart }).map(([name, value]) => `${name}=${encodeURIComponent(JSON.stringify(value))}`);
  await page.goto(`${base}/p/${PROJECT}/trends?${address.join("&")}`);
  const box = await page.getByTestId("chart").boundingBox();
  await page.waitForTimeout(1_000);
  await measure(`${chart}: pointing at a bucket`, MOVES, (n) => page.mouse.move(box.x + 60 + ((box.width - 90) * (n + 1)) / MOVES, box.y + 120));
  const legend = page.getByRole("list", { name: "Legend" });
  const names = await legend.getByRole("button").all();
  const places = [];
  for (const name of names.slice(0, 12)) places.push(await name.boundingBox());
  await measure(`${chart}: pointing at a name in the legend`, places.length, (n) => page.mouse.move(places[n].x + 12, places[n].y + 12));
  await page.mouse.move(2, 2);
  if (chart !== "line") continue;
  await measure("all names of the legend", 1, await clicks(legend.getByRole("button", { name: /more$/ })));
  await measure("opening the dates", 1, await clicks(page.getByRole("button", { name: "Last 90 days" })));
  await page.getByLabel("From").focus();
  await measure("typing a date", 3, (n) => page.keyboard.press(`${n}`));
  await page.keyboard.press("Escape");
  await measure("opening the events", 1, await clicks(page.getByRole("combobox", { name: /event of series A/ })));
  await page.keyboard.press("Escape");
  await measure("sorting the table", 6, await clicks(page.getByRole("button", { name: "Whole range" })));
  await page.keyboard.press("ArrowDown");
  await measure("walking through the table", MOVES, () => page.keyboard.press("ArrowRight"));
}
await browser.close();
console.log(JSON.stringify(figures));
