import { Activity, CalendarCheck, Filter, HeartPulse, LayoutDashboard, Magnet, Plug, RefreshCcw, Route, Settings, TrendingUp, Users, type LucideIcon } from "lucide-react";

export interface Destination {
  to:
    | "/p/$projectId"
    | `/p/$projectId/${"trends" | "funnels" | "retention" | "paths" | "lifecycle" | "stickiness" | "live" | "people" | "health" | "connect" | "settings"}`;
  label: string;
  icon: LucideIcon;
  /** Two keys after one another: g, then this one. */
  key: string;
  words?: string;
}

/** The kinds of insights, each with a page where one is built. */
export const INSIGHTS = [
  { to: "/p/$projectId/trends", label: "Trends", icon: TrendingUp, key: "t", words: "line chart counts" },
  { to: "/p/$projectId/funnels", label: "Funnels", icon: Filter, key: "f", words: "conversion steps drop-off" },
  { to: "/p/$projectId/retention", label: "Retention", icon: CalendarCheck, key: "r", words: "cohorts come back" },
  { to: "/p/$projectId/paths", label: "Paths", icon: Route, key: "p", words: "journeys sankey flow" },
  { to: "/p/$projectId/lifecycle", label: "Lifecycle", icon: RefreshCcw, key: "y", words: "new returning dormant churn" },
  { to: "/p/$projectId/stickiness", label: "Stickiness", icon: Magnet, key: "s", words: "habit days active" },
] as const satisfies readonly Destination[];

/** Where one can go, in the order of the navigation. */
export const NAVIGATION: readonly { title: string | null; destinations: readonly Destination[] }[] = [
  { title: null, destinations: [{ to: "/p/$projectId", label: "Home", icon: LayoutDashboard, key: "h", words: "dashboards" }] },
  { title: "Insights", destinations: INSIGHTS },
  {
    title: "Data",
    destinations: [
      { to: "/p/$projectId/live", label: "Live", icon: Activity, key: "l", words: "events stream" },
      { to: "/p/$projectId/people", label: "People", icon: Users, key: "u", words: "persons users profiles" },
      { to: "/p/$projectId/health", label: "Data health", icon: HeartPulse, key: "d", words: "rejected events lag freshness" },
      { to: "/p/$projectId/connect", label: "Connect", icon: Plug, key: "c", words: "snippet install sdk write key" },
      { to: "/p/$projectId/settings", label: "Settings", icon: Settings, key: ",", words: "project members keys roles time zone" },
    ],
  },
];

export const DESTINATIONS = NAVIGATION.flatMap((group) => group.destinations);
