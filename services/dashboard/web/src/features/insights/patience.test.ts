import { describe, expect, it } from "vitest";
import { askPatiently } from "~/features/insights/patience";

/** Answers never, and ends with the signal as a request does. */
const never = (signal: AbortSignal) =>
  new Promise<string>((_, reject) => {
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  });
const askOn = () => Promise.resolve("from a job");

describe("a question", () => {
  it("is answered at once where that is possible", async () =>
    expect(await askPatiently(() => Promise.resolve("at once"), askOn, new AbortController().signal)).toBe("at once"));

  it("goes on in the background when it takes long", async () =>
    expect(await askPatiently(never, askOn, new AbortController().signal, AbortSignal.abort())).toBe("from a job"));

  it("fails when it fails, and ends when nobody wants it any more", async () => {
    await expect(askPatiently(() => Promise.reject(new Error("wrong")), askOn, new AbortController().signal)).rejects.toThrow("wrong");
    await expect(askPatiently(never, askOn, AbortSignal.abort(new Error("left")), AbortSignal.abort())).rejects.toThrow("left");
  });
});
