// A browser that notices what is wrong with a page while somebody uses it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 360, height: 780 };
// A window of 1280 at 200 %.
const ZOOMED = { width: 640, height: 400 };

/** A page of the dashboard at DASHBOARD_URL, and ways to look at it. `mayFail`: what the console may say of requests. */
export async function openBrowser({ mayFail = /status of 40[01]/ } = {}) {
  const { DASHBOARD_URL: base, CHROMIUM: executablePath } = process.env;
  const browser = await chromium.launch({ executablePath, headless: true, args: flags });
  const context = await browser.newContext({ viewport: DESKTOP, locale: "en-US", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints = [];
  const requests = new Set();
  page.on("console", (message) => message.type() === "error" && !mayFail.test(message.text()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => request.url().startsWith("http") && requests.add(new URL(request.url()).origin));

  let step = "";
  const begin = (name) => {
    step = name;
    console.log(`  ${name}`);
  };

  /** Nothing serious for axe, and nothing wider than the window: on a desk, on a phone, and at twice the size. */
  async function look(name) {
    await page.evaluate(() => document.fonts.ready);
    await listen(name);
    for (const size of [ZOOMED, PHONE, DESKTOP]) {
      await page.setViewportSize(size);
      await page.waitForTimeout(150);
      // What floats finds its place again a little after the window has changed.
      const fits = page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, null, { timeout: 3_000 });
      await assert.doesNotReject(fits, `${name} is too wide at ${size.width}`);
      if (size === ZOOMED) continue;
      // axe is evaluated by the driver, past the page's Content-Security-Policy, which allows no such script.
      await page.evaluate(axe);
      const found = await page.evaluate(async () => {
        // What hands the focus on as soon as it has it is no place where somebody could be without hearing where.
        const context = { include: [document], exclude: ["[data-base-ui-focus-guard]"] };
        const { violations } = await globalThis.axe.run(context, { resultTypes: ["violations"] });
        return violations.filter(({ impact }) => ["serious", "critical"].includes(impact)).map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
      });
      assert.deepEqual(found, [], `axe on ${name}, ${size.width} wide`);
    }
  }

  /**
   * What a screen reader says of a page, where axe says nothing: headings begin with the page's and leave no level out, tables
   * have names, and a chart is told in numbers.
   */
  async function listen(name) {
    const wrong = await page.evaluate(() => {
      const dialog = document.querySelector("[role=dialog]");
      const within = dialog ?? document;
      const levels = [...within.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName[1]));
      const nameless = [...within.querySelectorAll("table")].filter((table) => !table.caption?.textContent.trim());
      const mute = [...within.querySelectorAll("[data-testid=chart]")].filter((chart) => !/: .*\d/.test(document.getElementById(chart.getAttribute("aria-describedby")).textContent));
      return [
        ...levels.flatMap((level, index) => (level > (index === 0 ? (dialog ? 3 : 1) : levels[index - 1] + 1) ? [`a heading of level ${level} is number ${index + 1} of ${levels.join(", ")}`] : [])),
        ...nameless.map(() => "a table without a name"),
        ...mute.map(() => "a chart without words"),
      ];
    });
    assert.deepEqual(wrong, [], `what is heard of ${name}`);
  }

  async function finish() {
    assert.deepEqual(complaints, [], "the browser complained");
    assert.deepEqual([...requests], [base], "nothing is asked of anybody else");
    console.log("done");
    await browser.close();
  }

  async function fail(error) {
    console.error(`while: ${step}, at ${page.url()}`);
    console.error(error);
    if (process.env.SHOT) await page.screenshot({ path: process.env.SHOT });
    process.exitCode = 1;
    await browser.close();
  }

  return { page, context, base, look, begin, finish, fail };
}
