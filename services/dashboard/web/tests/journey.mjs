// A first day with Footfall in a real browser, on a running platform: sign up, connect, watch, ask, save, reopen.
// Every number on a screen is compared with the API's, and every screen is checked by axe, wide and narrow.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { openBrowser } from "./browser.mjs";

const { page, context, base, look, begin, finish, fail } = await openBrowser({ mayFail: /status of (40[01]|409)/ });
let conflicts = 0;
page.on("response", (response) => (conflicts += Number(response.status() === 409)));
const DAY = 86_400_000;

/** What the API answers to this page's own question, asked with this user's token. */
async function ask(path, body) {
  token ??= (await (await page.request.post(`${base}/auth/login`, { data: USER })).json()).access_token;
  const answer = await page.request.post(`${base}${path}`, { data: body, headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status(), 200, await answer.text());
  return answer.json();
}

async function get(path) {
  const answer = await page.request.get(`${base}${path}`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status(), 200, await answer.text());
  return answer.json();
}

/** How often an event is stored. */
async function count(event) {
  const answer = await ask("/api/trends", { project_id: projectId, series: [{ event }], date_from: "-1d" });
  return answer.series[0].total;
}

/** Runs a snippet, and waits until there is one event more. */
async function proves(name, event, run) {
  const before = await count(event);
  await page.getByRole("tab", { name }).click();
  await run(await page.getByRole("region", { name: `Snippet for ${name}` }).innerText());
  for (let tries = 0; (await count(event)) === before; tries++) {
    assert.ok(tries < 40, `the snippet ${name} sent nothing`);
    await page.waitForTimeout(250);
  }
}

/** The chart as a picture: a PNG of some size with more than one colour in it. */
async function savesPicture() {
  await page.getByRole("button", { name: "Export" }).click();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "Chart as PNG" }).click()]);
  const bytes = readFileSync(await file.path());
  assert.equal(bytes.subarray(1, 4).toString(), "PNG");
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  assert.ok(width >= 500 && height >= 150 && bytes.length > 4_000, `${file.suggestedFilename()}: ${width} × ${height}, ${bytes.length} bytes`);
  if (process.env.PICTURES) await file.saveAs(`${process.env.PICTURES}/${Date.now()}-${file.suggestedFilename()}`);
}

const pick = async (button, typed) => {
  await page.getByRole("combobox", { name: button }).first().click();
  await page.getByRole("combobox", { name: /^(Event|Break down by|Filter by property)$/ }).fill(typed);
  await page.getByRole("option", { name: typed }).first().click();
};
const behind = page.getByRole("dialog", { name: "People" });

/** As many people as a number counts are listed behind it; who they are. */
async function sees(count, open) {
  await open();
  await behind.getByRole("link").nth(count - 1).waitFor();
  const names = await behind.getByRole("link").allInnerTexts();
  assert.equal(names.length, count);
  await page.keyboard.press("Escape");
  await behind.waitFor({ state: "detached" });
  return names.sort();
}
/** It is said to whoever does not see it. */
const hears = (words) => page.getByRole("status").filter({ hasText: words }).first().waitFor({ state: "attached" });
const cells = (row) => page.getByRole("row", { name: row }).locator("td").allInnerTexts();
const number = (text) => Number(text.replaceAll(",", ""));

let projectId = 0;
let token;
const USER = { email: process.env.EMAIL ?? "ann@example.com", password: "a sentence is easy to keep" };
try {
  begin("a stranger is asked who they are, and signs up");
  await page.goto(`${base}/p/1/trends`);
  await page.waitForURL(/sign-in/);
  await look("sign in");
  await page.getByLabel("Email").fill(USER.email);
  await page.getByLabel("Password").fill("wrong wrong wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("The address or the password is wrong").waitFor();
  await page.getByRole("button", { name: "Create an account" }).click();
  await page.getByLabel("Name").fill("Ann");
  await page.getByLabel("Email").fill(USER.email);
  await page.getByLabel("Password").fill(USER.password);
  await page.getByRole("button", { name: "Create account" }).click();

  begin("makes a project");
  await page.getByRole("heading", { name: "New project" }).waitFor();
  await page.getByLabel("Name").fill("Tea shop <b>&</b> more");
  await look("new project");
  await page.getByRole("combobox", { name: "time zone" }).click();
  await page.getByRole("combobox", { name: "Time zone", exact: true }).fill("UTC");
  await page.getByRole("option", { name: "UTC", exact: true }).click();
  await page.getByRole("button", { name: "Continue" }).click();

  begin("connects: the snippet works as it is copied");
  await page.getByText("Waiting for your first event").waitFor();
  await look("connect");
  projectId = Number(/\/p\/(\d+)\//.exec(page.url())[1]);
  const curl = await page.getByRole("region", { name: "Snippet for curl" }).innerText();
  execFileSync("sh", ["-c", curl], { stdio: "ignore" });
  await page.getByText("Received: signup").waitFor();

  begin("and so do the others");
  const captureUrl = /(http\S+)\/capture/.exec(curl)[1];
  const visit = async (html, script) => {
    const site = createServer(({ url }, response) =>
      url === "/bundle.js"
        ? response.writeHead(200, { "content-type": "text/javascript" }).end(script)
        : response.writeHead(200, { "content-type": "text/html" }).end(`<!doctype html><title>site</title>${html}`),
    ).listen(0);
    // As somebody's browser says: SDKs leave out those that say that nobody sits before them.
    const theirs = await context.browser().newContext({ userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36" });
    const visitor = await theirs.newPage();
    await visitor.addInitScript(() => Object.defineProperty(navigator, "webdriver", { get: () => false }));
    await visitor.goto(`http://127.0.0.1:${site.address().port}/pricing`);
    await visitor.waitForTimeout(500);
    await visitor.goto("about:blank"); // what is queued goes by beacon
    await visitor.waitForTimeout(1_000);
    await theirs.close();
    site.close();
  };
  if ((await fetch(`${captureUrl}/footfall.js`)).status === 200) {
    await proves("Web", "$pageview", (snippet) => visit(snippet));
    await page.getByText(/Received: \$page(view|leave)/).waitFor();
  } else console.log("  NOT TESTED: the web snippet, because the Capture API serves no /footfall.js");
  await proves("Python", "signup", (snippet) => execFileSync(process.env.PYTHON, ["-c", snippet], { stdio: "inherit" }));
  const packages = process.env.JS_PACKAGES;
  if (packages && existsSync(`${packages}/node_modules`)) {
    const node = (code) => execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: packages, stdio: "inherit" });
    await proves("Segment", "signup", node);
    const { buildSync } = createRequire(`${packages}/`)("esbuild");
    await proves("PostHog", "signup", (snippet) => {
      const made = buildSync({ stdin: { contents: snippet, resolveDir: packages }, bundle: true, write: false, format: "esm" });
      return visit('<script type="module" src="/bundle.js"></script>', made.outputFiles[0].text);
    });
  } else console.log("  NOT TESTED: the snippets for PostHog and Segment, because their packages are not installed");

  begin("sees events live, pauses, filters, opens one");
  await page.getByRole("link", { name: "See events live" }).click();
  await page.getByRole("heading", { name: "Live" }).waitFor();
  await hears("Live · Footfall");
  await page.getByText("Listening").waitFor();
  const capture = (await page.evaluate(async () => (await fetch("/config.json")).json())).capture_port;
  const writeKey = /Bearer (ffw_\w+)/.exec(curl)[1];
  const send = async (batch) => {
    const answer = await fetch(`http://127.0.0.1:${capture}/capture`, { method: "POST", body: JSON.stringify({ api_key: writeKey, batch }) });
    assert.equal(answer.status, 200);
    return answer.json();
  };
  await send([{ event: "brewed", distinct_id: "bob", properties: { tea: "Darjeeling", cups: 2 } }]);
  await page.getByRole("button", { name: "brewed" }).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByLabel("Filter events").fill("darjeeling");
  await hears("1 event found");
  assert.equal(await page.getByRole("row").count(), 2);
  await look("live");
  await page.getByRole("button", { name: "brewed" }).click();
  await page.getByRole("dialog").getByText("Darjeeling").waitFor();
  await look("an event");
  await page.keyboard.press("Escape");

  begin("finds what was rejected, with the reason");
  await send([{ event: "", distinct_id: "x" }, { event: "brewed", distinct_id: "x" }]);
  await page.getByRole("link", { name: "Data health" }).click();
  await page.getByRole("button", { name: "Missing event name" }).click();
  await page.getByRole("dialog").getByText("Send a name").waitFor();
  await look("data health");
  await page.keyboard.press("Escape");

  begin("asks for trends; the numbers are the API's");
  const people = Array.from({ length: 12 }, (_, n) => `tea-${n}`);
  const at = (days, minutes) => new Date(Date.now() - days * DAY + minutes * 60_000).toISOString();
  await send(
    people.flatMap((distinct_id, n) =>
      [6, 5, 3].flatMap((days) => [
        ...(days === 6 ? [{ event: "joined", distinct_id, timestamp: at(7, n), properties: { $set: { tier: n < 4 ? "gold" : "tin" } } }] : []),
        { event: "visited", distinct_id, timestamp: at(days, n), properties: { browser: n % 3 ? "Chrome" : "Safari", cups: n } },
        ...(n % 2 ? [{ event: "ordered", distinct_id, timestamp: at(days, n + 5), properties: { amount: n * 1.5 } }] : []),
      ]),
    ),
  );
  await page.waitForTimeout(2_500);
  await page.getByRole("link", { name: "Trends" }).click();
  await look("trends, empty");
  await pick("Choose an event", "visited");
  await page.getByTestId("chart").locator("canvas").waitFor();
  await hears("The answer is here.");
  const trend = { project_id: projectId, series: [{ event: "visited" }], date_from: "-7d", interval: "day" };
  let answer = await ask("/api/trends", trend);
  assert.deepEqual((await cells(/visited/)).map(number), [answer.series[0].total, ...answer.series[0].data]);
  assert.equal(answer.series[0].total, 36);
  assert.equal(await page.getByTestId("sentence").innerText(), "How often visited happened, each day of the last 7 days.");

  begin("counts people, breaks them down, filters, compares");
  await page.getByRole("combobox", { name: /^Count/ }).click();
  await page.getByRole("option", { name: "Unique people" }).click();
  await pick("Break down", "browser");
  await page.getByRole("row", { name: /Chrome/ }).waitFor();
  answer = await ask("/api/trends", { ...trend, series: [{ event: "visited", math: "unique_users" }], breakdown: { property: "browser" } });
  for (const series of answer.series) assert.deepEqual((await cells(new RegExp(series.breakdown_value))).map(number), [series.total, ...series.data]);
  await look("trends");
  await page.getByRole("region", { name: "Only where" }).getByRole("combobox", { name: "Filter" }).click();
  await page.getByRole("combobox", { name: "Filter by property" }).fill("browser");
  await page.getByRole("option", { name: "browser" }).first().click();
  await page.getByRole("button", { name: "Safari" }).click();
  await look("a filter");
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("row", { name: /Chrome/ }).waitFor({ state: "detached" });
  assert.equal(number((await cells(/Safari/))[0]), answer.series.find((each) => each.breakdown_value === "Safari").total);

  begin("asks by what is known of people");
  await page.getByRole("button", { name: "browser is Safari", exact: true }).focus();
  await page.keyboard.press("Backspace");
  await page.getByRole("region", { name: "Only where" }).getByRole("combobox", { name: "Filter" }).click();
  await page.getByRole("combobox", { name: "Filter by property" }).fill("tier");
  await page.getByRole("option", { name: "person’s tier" }).click();
  await page.getByRole("button", { name: /^gold/ }).click();
  await page.getByRole("button", { name: "Done" }).click();
  const gold = { property: "tier", scope: "person", operator: "exact", value: ["gold"] };
  answer = await ask("/api/trends", { ...trend, series: [{ event: "visited", math: "unique_users" }], breakdown: { property: "browser" }, filters: [gold] });
  await page.waitForFunction(() => document.querySelector("[data-testid=sentence]").textContent.includes("person’s tier is gold"));
  for (const series of answer.series) {
    await page.getByRole("row", { name: new RegExp(`^${series.breakdown_value} ${series.total} `) }).waitFor();
  }
  assert.deepEqual(answer.series.map(({ total }) => total), [2, 2]);

  begin("sees who is behind a point, with the pointer and with keys");
  const named = await sees(answer.series[0].data[1], async () => {
    await page.getByTestId("chart").focus();
    for (let bucket = 0; bucket < 2; bucket++) await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await behind.getByRole("link").first().waitFor();
    await look("people behind a point");
  });
  assert.deepEqual(named, answer.series[0].breakdown_value === "Safari" ? ["tea-0", "tea-3"] : ["tea-1", "tea-2"]);
  await sees(2, async () => {
    const plot = await page.getByTestId("chart").locator(".u-over").boundingBox();
    await page.mouse.click(plot.x + plot.width / 7 + 2, plot.y + plot.height - 4);
  });
  await sees(answer.series[0].total, () => page.getByRole("row", { name: answer.series[0].breakdown_value }).getByRole("button").first().click());
  await sees(answer.series[0].data[1], async () => {
    await page.getByRole("button", { name: "Series", exact: true }).focus();
    for (const key of ["ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "Enter"]) await page.keyboard.press(key);
  });
  await page.getByRole("button", { name: "person’s tier is gold", exact: true }).focus();
  await page.keyboard.press("Backspace");
  await page.getByRole("region", { name: "Only where" }).getByRole("combobox", { name: "Filter" }).click();
  await page.getByRole("combobox", { name: "Filter by property" }).fill("browser");
  await page.getByRole("option", { name: "browser" }).first().click();
  await page.getByRole("button", { name: "Safari" }).click();
  await page.getByRole("button", { name: "Done" }).click();

  begin("the address is the view, and a chip goes with Backspace");
  await page.reload();
  await page.getByRole("row", { name: /Safari/ }).waitFor();
  assert.match(await page.getByTestId("sentence").innerText(), /where browser is Safari, by browser/);
  await page.getByRole("button", { name: "browser is Safari", exact: true }).focus();
  await page.keyboard.press("Backspace");
  await page.getByRole("row", { name: /Chrome/ }).waitFor();

  begin("takes the numbers home");
  await page.getByRole("button", { name: "Export" }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "Numbers as CSV" }).click()]);
  const csv = readFileSync(await download.path(), "utf8");
  assert.match(csv, /Chrome/);
  await savesPicture();

  begin("saves it to a new dashboard");
  const save = async (name, dashboard) => {
    await page.getByRole("button", { name: "Save to dashboard" }).click();
    const dialog = page.getByRole("dialog", { name: "Save to dashboard" });
    await dialog.getByLabel("Name", { exact: true }).fill(name);
    if (dashboard) await dialog.getByLabel("Name of the new dashboard").fill(dashboard);
    await look("saving");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
  };
  await save("Visitors by browser", "Tea");

  begin("builds a funnel; the numbers are the API's");
  await page.getByRole("link", { name: "Funnels" }).click();
  await pick("Choose the first step", "visited");
  await pick("Choose the next step", "ordered");
  const funnel = await ask("/api/funnels", { project_id: projectId, steps: [{ event: "visited" }, { event: "ordered" }], date_from: "-7d" });
  await page.getByTestId("conversion").waitFor();
  assert.equal(await page.getByTestId("conversion").innerText(), "50.0%");
  assert.deepEqual((await cells(/2\. ordered/)).slice(0, 4), [String(funnel.steps[1].count), "50.0%", "50.0%", "5 min"]);
  assert.equal(funnel.steps[1].count, 6);
  const odd = ["tea-1", "tea-11", "tea-3", "tea-5", "tea-7", "tea-9"];
  assert.deepEqual(await sees(6, () => page.getByRole("button", { name: "6 people" }).click()), odd);
  const lost = people.filter((name) => !odd.includes(name)).sort();
  assert.deepEqual(await sees(6, () => page.getByTestId("lost").first().click({ position: { x: 20, y: 12 } })), lost);
  await page.getByRole("button", { name: "6 lost" }).focus();
  assert.deepEqual(await sees(6, () => page.keyboard.press("Enter")), lost);
  await look("funnel");
  await savesPicture();
  await save("From visit to order");

  begin("leaves out who did something in between, asks how long it takes and how it changes, by the value at a step");
  const steps = [{ event: "visited" }, { event: "ordered" }];
  const asked = { project_id: projectId, steps, date_from: "-7d" };
  await pick("Exclude an event", "brewed");
  await page.getByRole("button", { name: "Time to convert" }).click();
  await page.getByTestId("time-to-convert").waitFor();
  const exclusions = [{ event: "brewed", from_step: 0, to_step: 1 }];
  const times = (await ask("/api/funnels", { ...asked, exclusions, view: "time_to_convert" })).time_to_convert;
  const tableRows = async () => (await page.getByRole("grid", { name: /Numbers as a table/ }).locator("tbody tr").allInnerTexts()).map((row) => row.split("\t"));
  assert.deepEqual((await tableRows()).map((row) => number(row[1])), times.bins.map((bin) => bin.count));
  assert.match(await page.getByTestId("sentence").innerText(), /^How long it took .* without brewed in between/);
  const slowest = times.bins.findLast(({ count }) => count > 0);
  await sees(slowest.count, () => page.getByTestId("time-to-convert").getByRole("button").last().click());
  await look("time to convert");
  await savesPicture();
  await page.getByRole("button", { name: "Over time" }).click();
  await page.getByTestId("chart").waitFor();
  const change = (await ask("/api/funnels", { ...asked, exclusions, view: "trend", interval: "day" })).trend;
  assert.deepEqual((await tableRows()).map((row) => row.slice(1, 3).map(number)), change.entered.map((entered, n) => [entered, change.converted[n]]));
  const begun = change.entered.findIndex((entered) => entered > 0);
  await sees(change.entered[begun], () => page.getByRole("grid", { name: /Numbers as a table/ }).locator("tbody tr").nth(begun).getByRole("button").first().click());
  await look("conversion over time");
  await page.reload();
  await page.getByTestId("chart").waitFor();
  await page.getByRole("button", { name: "Steps", exact: true }).click();
  await pick("Break down", "browser");
  await page.getByRole("combobox", { name: "Which value counts" }).click();
  await page.getByRole("option", { name: "The value at a step" }).click();
  const byStep = await ask("/api/funnels", { ...asked, exclusions, breakdown: { property: "browser", attribution: "step", step: 0 } });
  await page.getByRole("row", { name: /Chrome/ }).first().waitFor();
  for (const { value, steps: reached } of byStep.breakdown)
    assert.deepEqual((await tableRows()).filter((row) => row[1] === value).map((row) => number(row[2])), reached.map((step) => step.count));
  await sees(12, () => page.getByRole("button", { name: "12 people" }).click());
  const [value] = byStep.breakdown;
  await sees(value.steps[1].count, () => page.getByRole("row", { name: new RegExp(`^2. ordered ${value.value}`) }).getByRole("button").first().click());

  begin("retention, lifecycle, stickiness and paths likewise");
  await page.getByRole("link", { name: "Retention" }).click();
  await page.getByRole("button", { name: /^visited/ }).click();
  const retention = await ask("/api/retention", { project_id: projectId, start: { event: "visited" }, return: { event: "visited" }, period: "day", periods: 8, date_from: "-14d" });
  await page.getByTestId("retention").waitFor();
  const sizes = await page.getByTestId("retention").locator("tbody tr td:nth-child(2)").allInnerTexts();
  assert.deepEqual(sizes.map(number), retention.cohorts.map(({ size }) => size));
  const cohort = retention.cohorts.findIndex(({ values }) => values[1] > 0);
  const row = page.getByTestId("retention").locator("tbody tr").nth(cohort);
  await sees(retention.cohorts[cohort].size, () => row.getByRole("button").first().click());
  const [returned] = retention.cohorts[cohort].values.slice(1);
  await sees(returned, () => row.locator("td").nth(2).getByRole("button").click());
  await look("retention");
  await savesPicture();
  await save("Who comes back");

  await page.getByRole("link", { name: "Lifecycle" }).click();
  await page.getByRole("button", { name: /^visited/ }).click();
  await page.getByTestId("chart").waitFor();
  const lifecycle = await ask("/api/lifecycle", { project_id: projectId, event: "visited", interval: "day", date_from: "-30d" });
  const shown = await page.getByRole("grid", { name: /Numbers as a table/ }).locator("tbody tr").allInnerTexts();
  assert.deepEqual(
    shown.map((row) => row.split("\t").slice(-4).map(number)),
    lifecycle.buckets.map((_, n) => [lifecycle.returning[n], lifecycle.new[n], lifecycle.resurrecting[n], lifecycle.dormant[n]]),
  );
  const dormant = lifecycle.dormant.findIndex((count) => count < 0);
  await sees(-lifecycle.dormant[dormant], () =>
    page.getByRole("grid", { name: /Numbers as a table/ }).locator("tbody tr").nth(dormant).getByRole("button").last().click(),
  );
  await look("lifecycle");

  await page.getByRole("link", { name: "Stickiness" }).click();
  await page.getByRole("button", { name: /^visited/ }).click();
  const stickiness = await ask("/api/stickiness", { project_id: projectId, series: [{ event: "visited" }], interval: "day", date_from: "-30d" });
  await page.getByTestId("stickiness").waitFor();
  assert.equal(number((await cells(/^3\s/))[0]), stickiness.series[0].counts[2]);
  assert.equal(stickiness.series[0].counts[2], 12);
  const onThree = page.getByTestId("stickiness").getByRole("button", { name: "12 people on 3 days" });
  await sees(12, () => onThree.click());
  await onThree.focus();
  await sees(12, () => page.keyboard.press("Enter"));
  await look("stickiness");
  await savesPicture();

  await page.getByRole("link", { name: "Paths" }).click();
  await page.getByTestId("paths").locator("path").first().waitFor({ state: "attached" });
  const paths = await ask("/api/paths", { project_id: projectId, steps: 5, max_links: 30, date_from: "-7d" });
  assert.equal(await page.getByTestId("paths").locator("svg > path").count(), paths.links.length);
  const [link] = paths.links;
  const query = { kind: "paths", query: { steps: 5, max_links: 30, date_from: "-7d" }, project_id: projectId };
  const taking = (await ask("/api/persons", { ...query, point: { source: link.source, target: link.target } })).results.length;
  await sees(taking, () => page.getByRole("grid", { name: /Numbers as a table/ }).getByRole("button", { name: String(link.count), exact: true }).first().click());
  await sees(taking, () => page.getByTestId("paths").locator("svg > path").first().dispatchEvent("click"));
  const through = (await ask("/api/persons", { ...query, point: { node: link.source } })).results.length;
  const node = page.getByTestId("paths").getByRole("button", { name: `Step 1: ${link.source.replace("1_", "")},` });
  await node.focus();
  await sees(through, () => page.keyboard.press("Enter"));
  await node.focus();
  await page.keyboard.press("ArrowRight");
  assert.match(await page.evaluate(() => document.activeElement.textContent), new RegExp(`^${link.source.replace("1_", "")} → `));
  begin("takes the people behind a point home");
  await node.click();
  await behind.getByRole("link").first().waitFor();
  const [list] = await Promise.all([page.waitForEvent("download"), behind.getByRole("button", { name: "CSV" }).click()]);
  const [columns, ...listed] = readFileSync(await list.path(), "utf8").trim().split("\r\n");
  assert.match(columns, /^person_id,distinct_ids,/);
  assert.equal(listed.length, through, "a row for each person");
  await page.keyboard.press("Escape");
  await look("paths");
  await savesPicture();

  begin("opens the dashboard again: what was saved is what was asked");
  await page.getByRole("link", { name: "Home" }).click();
  await page.getByRole("link", { name: "Tea" }).click();
  await page.getByRole("region", { name: "Visitors by browser" }).getByTestId("chart").waitFor();
  assert.equal(await page.getByRole("region", { name: "From visit to order" }).getByTestId("conversion").innerText(), "50.0%");
  await look("dashboard");

  begin("sees who is behind a number of a widget, over the dashboard's own range");
  const widget = (name) => page.getByRole("region", { name, exact: true });
  assert.deepEqual(await sees(6, () => widget("From visit to order").getByRole("button", { name: "6 people" }).click()), odd);
  await widget("Visitors by browser").getByTestId("chart").focus();
  for (const key of ["ArrowRight", "ArrowRight", "Enter"]) await page.keyboard.press(key);
  await behind.getByRole("link").first().waitFor();
  await page.keyboard.press("Escape");
  await page.goto(`${page.url()}?date_from=%22-4d%22`);
  await widget("From visit to order").getByRole("button", { name: "6 people" }).focus();
  await page.keyboard.press("Enter");
  await behind.getByText("2 events").first().waitFor();
  assert.equal(await behind.getByText("2 events").count(), 6, "a visit and an order each are in the last four days");
  await page.keyboard.press("Escape");
  await behind.waitFor({ state: "detached" });
  const handle = await page.getByRole("button", { name: "Move Visitors by browser" }).boundingBox();
  await page.mouse.move(handle.x + 8, handle.y + 8);
  await page.mouse.down();
  await page.mouse.move(handle.x + 8, handle.y + 300, { steps: 5 });
  await page.mouse.move(handle.x + 8, handle.y + 8, { steps: 5 });
  await page.mouse.up();
  await page.waitForTimeout(400);
  assert.equal(await page.getByRole("dialog").count(), 0, "who moves a widget looks behind nothing");

  begin("a number on a phone is as high as it is");
  const tea = Number(/dashboards\/(\d+)/.exec(page.url())[1]);
  const saved = { name: "Visits", kind: "trends", visualization: "number", query: { series: [{ event: "visited" }], timezone: "Asia/Tokyo" } };
  const made = await page.request.post(`${base}/api/dashboards/${tea}/widgets`, { data: saved, headers: { authorization: `Bearer ${token}` } });
  assert.equal(made.status(), 201, await made.text());
  await page.reload();
  await widget("Visits").getByTestId("number").waitFor();
  const high = (await widget("Visits").boundingBox()).height;
  await page.setViewportSize({ width: 360, height: 780 });
  const low = Math.min(130, high);
  await page.waitForFunction(([card, most]) => card.getBoundingClientRect().height < most, [await widget("Visits").elementHandle(), low]);
  await page.setViewportSize({ width: 1440, height: 900 });

  begin("a widget that was made with the API opens as what it asks");
  await page.getByRole("button", { name: "More about Visits" }).click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
  await page.getByTestId("number").waitFor();
  assert.match(await page.getByTestId("sentence").innerText(), /^How often visited happened, the last 7 days in Asia\/Tokyo\.$/);
  assert.ok(await page.getByRole("button", { name: "Saved", exact: true }).isDisabled());
  await page.getByRole("link", { name: "Tea", exact: true }).click();
  await page.getByRole("button", { name: "Date range: Last 4 days" }).waitFor(); // as it was seen

  begin("arranges and duplicates widgets");
  await page.getByRole("button", { name: "Move From visit to order" }).focus();
  await page.keyboard.press("ArrowUp");
  await hears(/^Column \d+, row \d+$/);
  await page.waitForTimeout(400);
  await page.reload();
  await page.getByRole("region", { name: "From visit to order" }).getByTestId("conversion").waitFor();
  await page.getByRole("button", { name: "More about Who comes back" }).click();
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  await page.getByRole("region", { name: /Who comes back/ }).nth(1).waitFor();

  begin("changes what a widget asks, and takes it back");
  await page.getByRole("link", { name: "Visitors by browser" }).click();
  await page.getByRole("row", { name: /Safari/ }).waitFor();
  assert.match(await page.getByTestId("sentence").innerText(), /last 4 days/, "the dashboard's range came along");
  await page.getByRole("link", { name: "Tea", exact: true }).click();
  await page.getByRole("button", { name: "More about Visitors by browser" }).click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
  await page.getByRole("row", { name: /Safari/ }).waitFor();
  assert.match(await page.getByTestId("sentence").innerText(), /last 7 days/, "it is the widget's own question that is changed");
  assert.ok(await page.getByRole("button", { name: "Saved", exact: true }).isDisabled());
  const kept = async () => (await get(`/api/dashboards/${tea}`)).widgets.find(({ name }) => name === "Visitors by browser");
  const original = await kept();
  await page.getByRole("combobox", { name: /^Compare/ }).click();
  await page.getByRole("option", { name: "Period before" }).click();
  await page.getByRole("combobox", { name: /^Chart/ }).click();
  await page.getByRole("option", { name: "Bars" }).click();
  await look("changing a widget");
  const theirs = await page.request.patch(`${base}/api/dashboards/${tea}/widgets/${original.id}`, { data: { name: original.name }, headers: { authorization: `Bearer ${token}` } });
  assert.ok((await theirs.json()).version > original.version);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("was not changed").waitFor();
  assert.deepEqual((await kept()).query, original.query, "what somebody else has changed is not overwritten");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Saved", exact: true }).waitFor();
  const changed = await kept();
  assert.deepEqual([changed.query, changed.visualization], [{ ...original.query, compare: "previous_period" }, "bar"]);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).waitFor();
  const undone = await kept();
  assert.deepEqual([undone.query, undone.visualization], [original.query, original.visualization]);
  await page.getByRole("button", { name: "Chrome, period before" }).click();
  await page.getByRole("combobox", { name: /^Compare/ }).click();
  await page.getByRole("option", { name: "No comparison" }).click();
  await page.getByRole("button", { name: "Chrome, period before" }).waitFor({ state: "detached" });
  await page.getByTestId("chart").focus();
  await page.keyboard.press("ArrowRight");
  const told = page.getByRole("status").locator("li");
  await told.first().waitFor();
  assert.ok((await told.count()) > 1 && (await page.getByRole("status").locator("li.opacity-40").count()) === 0, "a name that is gone dims no other");

  begin("sees who is behind a bar of an earlier period, and behind the one beside it");
  const besides = { series: JSON.stringify([{ event: "visited" }]), date_from: "-4d", date_to: "-3d", compare: "previous_period", chart: "bar" };
  await page.goto(`${base}/p/${projectId}/trends?${new URLSearchParams(besides)}`);
  await page.getByRole("row", { name: /period before/ }).waitFor();
  for (const isBefore of [true, false]) {
    await sees(12, async () => {
      const plot = await page.getByTestId("chart").locator(".u-over").boundingBox();
      // The second of two buckets, which have as much room on both sides.
      await page.mouse.click(plot.x + (plot.width * 1.6) / 2.2 + (isBefore ? -8 : 8), plot.y + plot.height - 4);
      assert.equal((await behind.getByRole("combobox").innerText()).includes("period before"), isBefore);
    });
  }

  begin("adds a widget from the dashboard, to that dashboard");
  await page.goto(`${base}/p/${projectId}/dashboards/${tea}`);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await look("adding a widget");
  await page.keyboard.press("Tab");
  await page.getByRole("menu").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.ariaHidden), null, "Tab leaves a menu for a place that is heard");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("menuitem", { name: "Stickiness" }).click();
  await page.getByText("New", { exact: true }).waitFor();
  await page.getByRole("button", { name: /^visited/ }).click();
  await page.getByTestId("stickiness").waitFor();
  await save("Faithful visitors");
  await page.getByRole("link", { name: "Tea", exact: true }).click();
  await widget("Faithful visitors").getByTestId("stickiness").waitFor();

  begin("finds people, and what they did");
  await page.getByRole("link", { name: "People" }).click();
  await page.getByLabel("Search people").fill("tea-11");
  await page.getByRole("row").nth(2).waitFor({ state: "detached" });
  await hears("1 person found");
  await look("people");
  await page.getByRole("link", { name: "tea-11" }).click();
  await page.getByRole("heading", { name: "tea-11" }).waitFor();
  await page.getByRole("button", { name: /ordered/ }).first().waitFor();
  assert.equal(await page.getByRole("button", { name: /ordered/ }).count(), 3);
  await look("a person");

  begin("a question that takes long goes on in the background, shows how far it is, and can be cancelled");
  const held = [];
  await page.route("**/api/trends", (route) => held.push(route));
  let isRunning = true;
  const cancelled = [];
  await page.route("**/api/query/async/*", async (route) => {
    if (route.request().method() === "DELETE") cancelled.push(route.request().url());
    if (route.request().method() === "GET" && isRunning) {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), status: "running", result: null, progress: { rows_read: 4_000, total_rows: 10_000 } } });
    } else await route.continue();
  });
  const long = (days) => `${base}/p/${projectId}/trends?series=${encodeURIComponent('[{"event":"visited"}]')}&date_from=-${days}d`;
  await page.goto(long(12));
  await page.getByText("4,000 of 10K events").waitFor();
  await hears("40% read");
  isRunning = false;
  await page.getByRole("row", { name: /visited/ }).waitFor();
  assert.equal(number((await cells(/visited/))[0]), 36);
  isRunning = true;
  await page.goto(long(13));
  await page.getByText("4,000 of 10K events").waitFor();
  await Promise.all([page.waitForRequest((request) => request.method() === "DELETE"), page.getByRole("button", { name: "Cancel" }).click()]);
  await page.getByRole("heading", { name: "Cancelled" }).waitFor();
  await page.unrouteAll({ behavior: "ignoreErrors" });
  assert.equal(cancelled.length, 1);

  begin("walks through a table that is too wide to be there at once; a number that is out of sight comes when it is reached");
  const hourly = { series: [{ event: "visited" }], breakdown: { property: "browser" }, interval: "hour", date_from: "-21d" };
  await page.goto(`${base}/p/${projectId}/trends?${Object.entries(hourly).map(([name, value]) => `${name}=${encodeURIComponent(JSON.stringify(value))}`).join("&")}`);
  await page.getByRole("button", { name: "Series", exact: true }).focus();
  await page.keyboard.press("ArrowDown");
  const wide = await ask("/api/trends", { ...hourly, project_id: projectId });
  assert.ok((await page.getByRole("gridcell").count()) < 200, "only cells in sight are there");
  const walked = [];
  for (const _ of [0, ...wide.buckets]) {
    await page.keyboard.press("ArrowRight");
    walked.push(await page.evaluate(() => Number(document.activeElement.textContent)));
  }
  assert.deepEqual(walked, [wide.series[0].total, ...wide.series[0].data]);
  await page.keyboard.press("Control+Home");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Series");

  begin("makes a key, changes the project, uses the palette and the keys");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Search" }).fill("tea-11");
  await page.getByRole("option", { name: /tea-11.*Person/ }).click();
  await page.getByRole("heading", { name: "tea-11" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Search" }).fill("settings");
  await page.getByRole("option", { name: /Settings/ }).waitFor();
  await look("palette");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  await look("settings");
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Name").last().fill("Report");
  await page.getByRole("button", { name: "Read: may ask" }).click();
  await page.getByRole("button", { name: "Make the key" }).click();
  const key = await page.getByTestId("new-key").innerText();
  const read = await page.request.get(`${base}/api/trends?event=visited`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal((await read.json()).series[0].total, 36);
  await page.getByRole("button", { name: "Done" }).click();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await page.getByRole("heading", { name: "Live" }).waitFor();

  begin("two tabs share a session, and leaving ends it");
  const other = await context.newPage();
  await Promise.all([other.goto(`${base}/`), page.reload()]);
  await other.getByRole("heading", { name: "Home" }).waitFor();
  await page.getByText("Listening").waitFor();
  await other.close();
  assert.equal(await page.evaluate(() => document.cookie), "", "no script may read the session");
  assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes("eyJ"), "no token in storage");
  await page.getByRole("button", { name: "Account of Ann" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL(/sign-in/);
  await page.goto(`${base}/p/${projectId}/trends`);
  await page.waitForURL(/sign-in/);

  assert.equal(conflicts, 1, "only the widget that somebody else had changed");
  await finish();
} catch (error) {
  await fail(error);
}
