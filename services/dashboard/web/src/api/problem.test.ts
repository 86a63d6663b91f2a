import { expect, it } from "vitest";
import { asProblem, mayPass, Problem, toProblem } from "~/api/problem";

it("a problem says what the service said, or at least what is known", () => {
  expect(toProblem(422, { title: "Query too expensive", detail: "Ask about less." }, "r1")).toMatchObject({ status: 422, title: "Query too expensive", detail: "Ask about less.", requestId: "r1" });
  expect(toProblem(502, null, null)).toMatchObject({ title: "The server answered 502", detail: "It gave no reason." });
  expect(asProblem(new TypeError("fetch failed"))).toMatchObject({ status: 0, title: "Footfall cannot be reached" });
});

it("only what may pass by itself is tried again", () => {
  expect(mayPass(new TypeError("fetch failed"))).toBe(true);
  expect(mayPass(new Problem(503, "Service unavailable", ""))).toBe(true);
  expect(mayPass(new Problem(422, "Query too expensive", ""))).toBe(false);
  expect(mayPass(toProblem(500, { title: "The job failed" }, null, true))).toBe(false);
});
