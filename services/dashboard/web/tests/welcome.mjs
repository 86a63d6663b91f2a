// The first visitor of a new installation, on an Auth API that has no user yet.
import assert from "node:assert/strict";
import { openBrowser } from "./browser.mjs";

const { page, base, look, begin, finish, fail } = await openBrowser({ mayFail: /status of (40[01]|503)/ }); // there is no Query API here
try {
  begin("is welcomed, and makes the admin's account");
  await page.goto(base);
  await page.getByRole("heading", { name: "Welcome to Footfall" }).waitFor();
  await look("welcome");
  await page.getByLabel("Name").fill("Ann");
  await page.getByLabel("Email").fill("ann@example.com");
  await page.getByLabel("Password").fill("a sentence is easy to keep");
  await page.getByRole("button", { name: "Create account" }).click();

  begin("names the first project, and gets its key");
  await page.getByRole("heading", { name: /project/ }).waitFor();
  await page.getByLabel("Name").fill("Tea shop");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("heading", { name: "Connect" }).waitFor();
  assert.match(await page.getByRole("region", { name: "Snippet for curl" }).innerText(), /Bearer ffw_\w{20,}/);
  const me = await page.evaluate(async () => (await fetch("/auth/registration")).json());
  assert.equal(me.is_first, false, "who comes next is not the first");
  await finish();
} catch (error) {
  await fail(error);
}
