/** What to paste where, with the project's own key and address in it. */
export interface Snippet {
  id: string;
  label: string;
  /** What to do before or with it, in a sentence. */
  hint: string;
  code: string;
}

export function makeSnippets(captureUrl: string, writeKey: string): Snippet[] {
  return [
    {
      id: "curl",
      label: "curl",
      hint: "Paste it into a terminal. The event is here before you have switched back.",
      code: `curl ${captureUrl}/capture \\
  -H 'Authorization: Bearer ${writeKey}' \\
  -d '{"event": "signup", "distinct_id": "ann", "properties": {"plan": "pro"}}'`,
    },
    {
      id: "web",
      label: "Web",
      hint: "Before </head> on every page. It sends page views by itself, and footfall.capture(…) whatever else you name.",
      code: `<script defer src="${captureUrl}/footfall.js" data-key="${writeKey}" data-host="${captureUrl}"></script>`,
    },
    {
      id: "python",
      label: "Python",
      hint: "pip install footfall-sdk. It sends in the background, tries again, and never stops your program.",
      code: `import footfall

footfall.configure("${writeKey}", "${captureUrl}")
footfall.capture("signup", "ann", {"plan": "pro"})`,
    },
    {
      id: "posthog",
      label: "PostHog SDK",
      hint: "Keep your code. Change the host and the key.",
      code: `import posthog from "posthog-js";

posthog.init("${writeKey}", { api_host: "${captureUrl}" });
posthog.capture("signup", { plan: "pro" });`,
    },
    {
      id: "segment",
      label: "Segment SDK",
      hint: "npm install @segment/analytics-node. Keep your calls; change the host and the key.",
      code: `import { Analytics } from "@segment/analytics-node";

const analytics = new Analytics({ writeKey: "${writeKey}", host: "${captureUrl}" });
analytics.track({ userId: "ann", event: "signup", properties: { plan: "pro" } });
await analytics.closeAndFlush();`,
    },
  ];
}
