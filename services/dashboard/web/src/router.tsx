import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import { meOptions } from "~/api/account";
import { accessToken } from "~/api/session";
import { withOrigin } from "~/features/dashboards/origin";
import { readDashboardSearch } from "~/features/dashboards/search";
import { readFunnels } from "~/features/funnels/document";
import { readLifecycle } from "~/features/lifecycle/document";
import { readPaths } from "~/features/paths/document";
import { readRetention } from "~/features/retention/document";
import { readStickiness } from "~/features/stickiness/document";
import { readTrends } from "~/features/trends/document";
import { Frame } from "~/frame/Frame";
import { NotFound } from "~/frame/NotFound";
import { RouteFailure } from "~/frame/RouteFailure";

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFound,
  errorComponent: RouteFailure,
});

function readPeople(search: Record<string, unknown>): { search?: string } {
  return typeof search.search === "string" ? { search: search.search } : {};
}

/** The project that was open last, if it is still there. */
export const LAST_PROJECT = "footfall.project";

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: async ({ context }) => {
    if ((await accessToken()) === null) throw redirect({ to: "/sign-in" });
    const me = await context.queryClient.query({ ...meOptions, staleTime: "static" });
    const last = localStorage.getItem(LAST_PROJECT);
    const project = me.projects.find((each) => String(each.id) === last) ?? me.projects[0];
    if (project === undefined) throw redirect({ to: "/new-project" });
    throw redirect({ to: "/p/$projectId", params: { projectId: String(project.id) } });
  },
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { next?: string } =>
    // Only a path of this application: an address elsewhere would make this page a trap.
    typeof search.next === "string" && /^\/(?![/\\])/.test(search.next) ? { next: search.next } : {},
  component: lazyRouteComponent(() => import("~/features/sign-in/SignInPage"), "SignInPage"),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  beforeLoad: async ({ context, location }) => {
    if ((await accessToken()) === null) throw redirect({ to: "/sign-in", search: { next: location.href } });
    await context.queryClient.query({ ...meOptions, staleTime: "static" });
  },
});

const newProject = createRoute({
  getParentRoute: () => signedIn,
  path: "/new-project",
  validateSearch: (search: Record<string, unknown>): { first?: boolean } => (search.first === true ? { first: true } : {}),
  component: lazyRouteComponent(() => import("~/features/sign-in/NewProjectPage"), "NewProjectPage"),
});

const project = createRoute({
  getParentRoute: () => signedIn,
  path: "/p/$projectId",
  beforeLoad: async ({ context, params }) => {
    const me = await context.queryClient.query({ ...meOptions, staleTime: "static" });
    if (!me.projects.some((each) => String(each.id) === params.projectId)) throw redirect({ to: "/" });
    localStorage.setItem(LAST_PROJECT, params.projectId);
  },
  component: Frame,
  errorComponent: RouteFailure,
});

const under = { getParentRoute: () => project } as const;
const pages = [
  createRoute({ ...under, path: "/", component: lazyRouteComponent(() => import("~/features/dashboards/HomePage"), "HomePage") }),
  createRoute({
    ...under,
    path: "/connect",
    component: lazyRouteComponent(() => import("~/features/connect/ConnectPage"), "ConnectPage"),
  }),
  createRoute({
    ...under,
    path: "/trends",
    validateSearch: withOrigin(readTrends),
    component: lazyRouteComponent(() => import("~/features/trends/TrendsPage"), "TrendsPage"),
  }),
  createRoute({
    ...under,
    path: "/funnels",
    validateSearch: withOrigin(readFunnels),
    component: lazyRouteComponent(() => import("~/features/funnels/FunnelsPage"), "FunnelsPage"),
  }),
  createRoute({
    ...under,
    path: "/dashboards/$dashboardId",
    validateSearch: readDashboardSearch,
    component: lazyRouteComponent(() => import("~/features/dashboards/DashboardPage"), "DashboardPage"),
  }),
  createRoute({
    ...under,
    path: "/retention",
    validateSearch: withOrigin(readRetention),
    component: lazyRouteComponent(() => import("~/features/retention/RetentionPage"), "RetentionPage"),
  }),
  createRoute({
    ...under,
    path: "/lifecycle",
    validateSearch: withOrigin(readLifecycle),
    component: lazyRouteComponent(() => import("~/features/lifecycle/LifecyclePage"), "LifecyclePage"),
  }),
  createRoute({
    ...under,
    path: "/stickiness",
    validateSearch: withOrigin(readStickiness),
    component: lazyRouteComponent(() => import("~/features/stickiness/StickinessPage"), "StickinessPage"),
  }),
  createRoute({
    ...under,
    path: "/paths",
    validateSearch: withOrigin(readPaths),
    component: lazyRouteComponent(() => import("~/features/paths/PathsPage"), "PathsPage"),
  }),
  createRoute({
    ...under,
    path: "/people",
    validateSearch: readPeople,
    component: lazyRouteComponent(() => import("~/features/people/PeoplePage"), "PeoplePage"),
  }),
  createRoute({
    ...under,
    path: "/people/$distinctId",
    component: lazyRouteComponent(() => import("~/features/people/PersonPage"), "PersonPage"),
  }),
  createRoute({
    ...under,
    path: "/settings",
    component: lazyRouteComponent(() => import("~/features/settings/SettingsPage"), "SettingsPage"),
  }),
  createRoute({
    ...under,
    path: "/account",
    component: lazyRouteComponent(() => import("~/features/settings/AccountPage"), "AccountPage"),
  }),
  createRoute({ ...under, path: "/live", component: lazyRouteComponent(() => import("~/features/live/LivePage"), "LivePage") }),
  createRoute({
    ...under,
    path: "/health",
    component: lazyRouteComponent(() => import("~/features/health/HealthPage"), "HealthPage"),
  }),
] as const;

const tree = root.addChildren([home, signIn, signedIn.addChildren([newProject, project.addChildren(pages)])]);

export function makeRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queryClient },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    defaultErrorComponent: RouteFailure,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
