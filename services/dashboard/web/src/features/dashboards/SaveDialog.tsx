import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useProject } from "~/api/account";
import { asProblem } from "~/api/problem";
import { addDashboard, addWidget, dashboardOptions, dashboardsOptions } from "~/features/dashboards/api";
import type { Kind, Questions } from "~/features/insights/ask";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { Field } from "~/ui/Field";
import { Select } from "~/ui/Select";
import { Failure, Skeleton } from "~/ui/states";
import { tell } from "~/ui/toast";

const NEW = "new";

interface SaveDialogProps<K extends Kind> {
  kind: K;
  query: Questions[K];
  name: string;
  visualization: string;
  /** The dashboard that somebody came from. */
  dashboardId: number | undefined;
  onClose: () => void;
}

/** The very document that is asked, put on a dashboard that is there or a new one. */
export function SaveDialog<K extends Kind>({ kind, query, name, visualization, dashboardId, onClose }: SaveDialogProps<K>) {
  const project = useProject();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const dashboards = useQuery(dashboardsOptions(project.id));
  const [title, setTitle] = useState(shorten(name));
  const [chosen, setChosen] = useState<string | null>(null);
  const [newName, setNewName] = useState("");
  const usual = dashboards.data?.find(({ id }) => id === dashboardId) ?? dashboards.data?.[0];
  const target = chosen ?? (usual ? String(usual.id) : NEW);

  const save = useMutation({
    mutationFn: async () => {
      const targetId = target === NEW ? (await addDashboard(project.id, newName.trim())).id : Number(target);
      await addWidget(targetId, { name: title.trim(), kind, query: { ...query }, visualization });
      return targetId;
    },
    onSuccess: async (targetId) => {
      onClose();
      tell("Saved", {
        label: "Open the dashboard",
        onClick: () =>
          void navigate({ to: "/p/$projectId/dashboards/$dashboardId", params: { projectId: String(project.id), dashboardId: String(targetId) } }),
      });
      await queryClient.invalidateQueries({ queryKey: dashboardsOptions(project.id).queryKey });
      await queryClient.invalidateQueries({ queryKey: dashboardOptions(targetId).queryKey });
    },
  });

  return (
    <Dialog open onClose={onClose} title="Save to dashboard">
      {dashboards.isPending ? (
        <Skeleton className="h-32" />
      ) : dashboards.isError ? (
        <Failure error={dashboards.error} onRetry={() => void dashboards.refetch()} />
      ) : (
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            save.mutate();
          }}
        >
          <Field label="Name" value={title} required maxLength={200} autoFocus onChange={(event) => setTitle(event.target.value)} />
          <div>
            <p className="mb-1 text-13 font-medium">Dashboard</p>
            <Select
              label="Dashboard"
              value={target}
              options={[...dashboards.data.map(({ id, name: known }) => ({ value: String(id), label: known })), { value: NEW, label: "A new dashboard" }]}
              onChange={setChosen}
              className="w-full"
            />
          </div>
          {target === NEW ? (
            <Field label="Name of the new dashboard" value={newName} required maxLength={200} placeholder="Growth" onChange={(event) => setNewName(event.target.value)} />
          ) : null}
          {save.isError ? (
            <p role="alert" className="rounded-control bg-bad-soft px-3 py-2 text-bad">
              {asProblem(save.error).detail}
            </p>
          ) : null}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" kind="primary" disabled={save.isPending}>
              {save.isPending ? "Saving…" : "Save"}
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

function shorten(text: string): string {
  const plain = text.replace(/\.$/, "");
  return plain.length <= 80 ? plain : `${plain.slice(0, 79).trimEnd()}…`;
}
