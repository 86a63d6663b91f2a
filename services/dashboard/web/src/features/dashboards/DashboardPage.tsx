import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { MoreHorizontal, Plus, RefreshCw } from "lucide-react";
import { useState } from "react";
import { may, useProject } from "~/api/account";
import { asProblem, Problem } from "~/api/problem";
import {
  changeDashboard,
  copyDashboard,
  dashboardOptions,
  dashboardsOptions,
  removeDashboard,
  runOptions,
  type Dashboard,
} from "~/features/dashboards/api";
import { Grid } from "~/features/dashboards/Grid";
import { settle, type Placed } from "~/features/dashboards/grid";
import { ConfirmByName, Rename } from "~/features/dashboards/dialogs";
import { originOf } from "~/features/dashboards/origin";
import type { DashboardSearch } from "~/features/dashboards/search";
import { WidgetCard } from "~/features/dashboards/WidgetCard";
import { chartOf } from "~/features/dashboards/widgets";
import { RangePicker } from "~/features/insights/RangePicker";
import { ago } from "~/format/times";
import { INSIGHTS } from "~/frame/navigation";
import { Button, buttonClass, IconButton } from "~/ui/Button";
import { Menu, MenuItem, MenuLink, MenuSeparator } from "~/ui/Menu";
import { Page, Panel } from "~/ui/Page";
import { Select } from "~/ui/Select";
import { Empty, Failure, Loading, Skeleton } from "~/ui/states";
import { tell } from "~/ui/toast";

const route = getRouteApi("/signed-in/p/$projectId/dashboards/$dashboardId");
const REFRESH_OPTIONS = [
  { value: "0", label: "Refresh by hand" },
  { value: "60", label: "Every minute" },
  { value: "300", label: "Every 5 minutes" },
  { value: "900", label: "Every 15 minutes" },
] as const;

export function DashboardPage() {
  const { dashboardId } = route.useParams();
  const project = useProject();
  const dashboard = useQuery(dashboardOptions(Number(dashboardId)));
  if (dashboard.isError) {
    const isGone = dashboard.error instanceof Problem && dashboard.error.status === 404;
    return (
      <Page title="Dashboard">
        <Panel>
          {isGone ? (
            <Empty
              title="There is no such dashboard"
              action={
                <Link to="/p/$projectId" params={{ projectId: String(project.id) }} className={buttonClass("primary")}>
                  All dashboards
                </Link>
              }
            >
              It may have been deleted.
            </Empty>
          ) : (
            <Failure error={dashboard.error} onRetry={() => void dashboard.refetch()} />
          )}
        </Panel>
      </Page>
    );
  }
  if (dashboard.isPending)
    return (
      <Page title="Dashboard">
        <div className="grid gap-3 md:grid-cols-2">
          <Loading />
          {[0, 1, 2, 3].map((each) => (
            <Skeleton key={each} className="h-72" />
          ))}
        </div>
      </Page>
    );
  return <Loaded key={dashboard.data.id} dashboard={dashboard.data} />;
}

function Loaded({ dashboard }: { dashboard: Dashboard }) {
  const project = useProject();
  const params = { projectId: String(project.id) };
  const navigate = useNavigate();
  const search = route.useSearch();
  const go = route.useNavigate();
  const queryClient = useQueryClient();
  const canEdit = may(project, "editor");
  const [dialog, setDialog] = useState<"rename" | "remove" | null>(null);
  const seconds = search.every ?? 0;
  const range = { ...(search.date_from ? { date_from: search.date_from } : {}), ...(search.date_to ? { date_to: search.date_to } : {}) };
  const run = useQuery({
    ...runOptions(dashboard.id, dashboard.version, range),
    enabled: dashboard.widgets.length > 0,
    refetchInterval: seconds > 0 ? seconds * 1000 : false,
  });
  const options = dashboardOptions(dashboard.id);
  const keep = (changed: Dashboard) => {
    queryClient.setQueryData(options.queryKey, changed);
    void queryClient.invalidateQueries({ queryKey: dashboardsOptions(project.id).queryKey });
  };

  const arrange = useMutation({
    mutationFn: (placed: Placed[]) => changeDashboard(dashboard.id, { arrangement: placed.map(({ id, layout }) => ({ widget_id: id, layout })) }),
    onMutate: (placed) => {
      const places = new Map(placed.map(({ id, layout }) => [id, layout]));
      queryClient.setQueryData(options.queryKey, {
        ...dashboard,
        widgets: dashboard.widgets.map((widget) => ({ ...widget, layout: places.get(widget.id) ?? widget.layout })),
      });
    },
    onSuccess: (changed) => {
      // The answers are the same; only their places are new.
      queryClient.setQueryData(runOptions(changed.id, changed.version, range).queryKey, run.data);
      keep(changed);
    },
    onError: (error) => {
      tell(`The arrangement was not saved: ${asProblem(error).detail}`);
      void queryClient.invalidateQueries({ queryKey: options.queryKey });
    },
  });
  const results = new Map((run.data?.results ?? []).map((result) => [result.widget_id, result]));
  const widgets = new Map(dashboard.widgets.map((widget) => [widget.id, widget]));

  return (
    <Page
      title={dashboard.name}
      description={dashboard.description || undefined}
      actions={
        <>
          <RangePicker
            range={range}
            {...(search.date_from === undefined ? { label: "Each its own range" } : {})}
            onChange={({ date_from, date_to }) =>
              void go({ search: (old) => ({ ...(old.every ? { every: old.every } : {}), ...(date_from ? { date_from } : {}), ...(date_to ? { date_to } : {}) }), replace: true })
            }
          />
          {search.date_from ? (
            <Button kind="quiet" onClick={() => void go({ search: (old) => (old.every ? { every: old.every } : {}), replace: true })}>
              Clear
            </Button>
          ) : null}
          <Select
            label="Refresh"
            value={String(seconds) as (typeof REFRESH_OPTIONS)[number]["value"]}
            options={REFRESH_OPTIONS}
            onChange={(value) =>
              void go({
                search: ({ every: _, ...old }) => (value === "0" ? old : { ...old, every: Number(value) }),
                replace: true,
              })
            }
          />
          <IconButton
            label={run.dataUpdatedAt === 0 ? "Refresh now" : `Refresh now. Asked ${ago(new Date(run.dataUpdatedAt), new Date())}`}
            disabled={run.isFetching || dashboard.widgets.length === 0}
            onClick={() => void run.refetch()} className="border border-line bg-surface">
            <RefreshCw className={run.isFetching ? "animate-spin" : ""} />
          </IconButton>
          {canEdit ? (
            <>
              <AddWidget dashboardId={dashboard.id} seen={search} label="Add" />
              <Menu
                align="end"
                trigger={
                  <IconButton label="More">
                    <MoreHorizontal />
                  </IconButton>
                }
              >
                <MenuItem onClick={() => setDialog("rename")}>Rename</MenuItem>
                <MenuItem
                  onClick={() =>
                    void copyDashboard(dashboard.id).then(async (copy) => {
                      keep(dashboard);
                      await navigate({ to: "/p/$projectId/dashboards/$dashboardId", params: { ...params, dashboardId: String(copy.id) } });
                    })
                  }
                >
                  Duplicate
                </MenuItem>
                <MenuSeparator />
                <MenuItem danger onClick={() => setDialog("remove")}>
                  Delete…
                </MenuItem>
              </Menu>
            </>
          ) : null}
        </>
      }
    >
      <p role="status" className="sr-only">
        {run.isSuccess ? (run.isPlaceholderData ? "Asking." : "The answers are here.") : ""}
      </p>
      {dashboard.widgets.length === 0 ? (
        <Panel>
          <Empty
            title="Nothing is on this dashboard yet"
            action={canEdit ? <AddWidget dashboardId={dashboard.id} seen={search} label="Build an insight" /> : undefined}
          >
            {canEdit ? "Build an insight and press “Save to dashboard”. It is" : "Insights that an editor saves here are"} asked anew whenever somebody opens this page.
          </Empty>
        </Panel>
      ) : run.isError && run.data === undefined ? (
        <Panel>
          <Failure error={run.error} onRetry={() => void run.refetch()} />
        </Panel>
      ) : (
        <Grid
          widgets={settle(dashboard.widgets.map(({ id, layout }) => ({ id, layout: { x: layout.x ?? 0, y: layout.y ?? 0, w: layout.w ?? 6, h: layout.h ?? 4 } })))}
          isEditable={canEdit}
          onChange={(placed) => arrange.mutate(placed)}
          nameOf={(id) => widgets.get(id)?.name ?? ""}
          isFlat={(id) => {
            const widget = widgets.get(id);
            return widget !== undefined && chartOf(widget) === "number";
          }}
          render={(id) => {
            const widget = widgets.get(id);
            return widget ? <WidgetCard dashboard={dashboard} widget={widget} result={results.get(id)} seen={search} isStale={run.isPlaceholderData} canEdit={canEdit} /> : null;
          }}
        />
      )}
      {dialog === "rename" ? (
        <Rename
          what="dashboard"
          name={dashboard.name}
          onClose={() => setDialog(null)}
          onSave={async (name) => keep(await changeDashboard(dashboard.id, { name }))}
        />
      ) : null}
      {dialog === "remove" ? (
        <ConfirmByName
          what="dashboard"
          name={dashboard.name}
          onClose={() => setDialog(null)}
          onConfirm={async () => {
            await removeDashboard(dashboard.id);
            await queryClient.invalidateQueries({ queryKey: dashboardsOptions(project.id).queryKey });
            await navigate({ to: "/p/$projectId", params });
          }}
        />
      ) : null}
    </Page>
  );
}

/** The pages where something for this dashboard is built. */
function AddWidget({ dashboardId, seen, label }: { dashboardId: number; seen: DashboardSearch; label: string }) {
  const params = { projectId: String(useProject().id) };
  return (
    <Menu
      align="end"
      trigger={
        <Button kind="primary">
          <Plus aria-hidden />
          {label}
        </Button>
      }
    >
      {INSIGHTS.map(({ to, label: kind, icon: Icon }) => (
        <MenuLink key={to} render={<Link to={to} params={params} search={originOf(dashboardId, seen)} />}>
          <Icon aria-hidden />
          {kind}
        </MenuLink>
      ))}
    </Menu>
  );
}
