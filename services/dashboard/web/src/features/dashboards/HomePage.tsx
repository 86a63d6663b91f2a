import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { may, useProject } from "~/api/account";
import { asProblem } from "~/api/problem";
import { ConnectLink } from "~/features/connect/ConnectLink";
import { addDashboard, dashboardsOptions } from "~/features/dashboards/api";
import { latestEventOptions } from "~/features/live/api";
import { ago, parseTime } from "~/format/times";
import { Button, buttonClass } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { Field } from "~/ui/Field";
import { Page, Panel } from "~/ui/Page";
import { Empty, Failure, SkeletonRows } from "~/ui/states";

/** The project's dashboards, or the next step towards the first one. */
export function HomePage() {
  const project = useProject();
  const params = { projectId: String(project.id) };
  const dashboards = useQuery(dashboardsOptions(project.id));
  const latest = useQuery(latestEventOptions(project.id));
  const [adding, setAdding] = useState(false);
  const add = (
    <Button kind="primary" onClick={() => setAdding(true)}>
      <Plus aria-hidden />
      New dashboard
    </Button>
  );
  return (
    <Page title="Home" actions={may(project, "editor") && dashboards.data?.length ? add : undefined}>
      <Panel className="overflow-hidden">
        {dashboards.isPending || latest.isPending ? (
          <SkeletonRows />
        ) : dashboards.isError ? (
          <Failure error={dashboards.error} onRetry={() => void dashboards.refetch()} />
        ) : latest.data === null ? (
          <Empty title="No events yet" action={<ConnectLink />}>
            Dashboards show what your users do. Send a first event; the snippets are already filled in.
          </Empty>
        ) : dashboards.data.length === 0 ? (
          <Empty
            title="No dashboards yet"
            action={
              <>
                <Link to="/p/$projectId/trends" params={params} search={{}} className={buttonClass("primary")}>
                  Build an insight
                </Link>
                {may(project, "editor") ? <Button onClick={() => setAdding(true)}>New dashboard</Button> : null}
              </>
            }
          >
            A dashboard keeps the questions that you ask again and again. Build an insight and save it to one.
          </Empty>
        ) : (
          <ul className="divide-y divide-line">
            {dashboards.data.map((dashboard) => (
              <li key={dashboard.id} className="relative flex items-center gap-4 px-4 py-3 hover:bg-hover">
                <Link
                  to="/p/$projectId/dashboards/$dashboardId"
                  params={{ ...params, dashboardId: String(dashboard.id) }}
                  className="min-w-0 flex-1 truncate font-medium after:absolute after:inset-0"
                  dir="auto"
                >
                  {dashboard.name}
                </Link>
                <span className="hidden truncate text-soft sm:block" dir="auto">
                  {dashboard.description}
                </span>
                <span className="shrink-0 text-13 text-soft">changed {ago(parseTime(dashboard.updated_at), new Date())}</span>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      {adding ? <NewDashboard projectId={project.id} onClose={() => setAdding(false)} /> : null}
    </Page>
  );
}

function NewDashboard({ projectId, onClose }: { projectId: number; onClose: () => void }) {
  const [name, setName] = useState("");
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const add = useMutation({
    mutationFn: () => addDashboard(projectId, name.trim()),
    onSuccess: async (dashboard) => {
      await queryClient.invalidateQueries({ queryKey: dashboardsOptions(projectId).queryKey });
      await navigate({ to: "/p/$projectId/dashboards/$dashboardId", params: { projectId: String(projectId), dashboardId: String(dashboard.id) } });
    },
  });
  return (
    <Dialog open onClose={onClose} title="New dashboard">
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <Field
          label="Name"
          required
          autoFocus
          maxLength={200}
          placeholder="Growth"
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={add.isError ? asProblem(add.error).detail : undefined}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={add.isPending}>
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
