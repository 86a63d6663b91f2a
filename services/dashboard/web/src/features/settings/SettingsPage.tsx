import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { may, meOptions, projectOptions, useProject, type OwnProject } from "~/api/account";
import { authApi, unwrap } from "~/api/client";
import { asProblem, Problem } from "~/api/problem";
import { renewAccess } from "~/api/session";
import { ConfirmByName } from "~/features/dashboards/dialogs";
import { Keys } from "~/features/settings/Keys";
import { Members } from "~/features/settings/Members";
import { Section } from "~/features/settings/Section";
import { TIMEZONES } from "~/features/sign-in/places";
import { Button, buttonClass } from "~/ui/Button";
import { Field } from "~/ui/Field";
import { Page } from "~/ui/Page";
import { Picker } from "~/ui/Picker";
import { Select } from "~/ui/Select";
import { tell } from "~/ui/toast";

const WEEK_STARTS = [
  { value: "monday", label: "Monday" },
  { value: "sunday", label: "Sunday" },
] as const;

export function SettingsPage() {
  const project = useProject();
  return (
    <Page narrow title="Settings" description="Of this project. Your own account is under your name.">
      <div key={project.id} className="flex flex-col gap-4">
        <ProjectForm project={project} />
        <Keys project={project} />
        <Members project={project} />
        {may(project, "owner") ? <Remove project={project} /> : null}
      </div>
    </Page>
  );
}

function ProjectForm({ project }: { project: OwnProject }) {
  const queryClient = useQueryClient();
  const [name, setName] = useState(project.name);
  const [timezone, setTimezone] = useState(project.timezone);
  const [weekStart, setWeekStart] = useState(project.week_start);
  const canEdit = may(project, "admin");
  const save = useMutation({
    mutationFn: () =>
      unwrap(
        authApi.PATCH("/projects/{project_id}", {
          params: { path: { project_id: project.id } },
          body: { name: name.trim(), timezone, week_start: weekStart },
        }),
      ),
    onSuccess: async () => {
      await renewAccess();
      await queryClient.invalidateQueries({ queryKey: meOptions.queryKey });
      await queryClient.invalidateQueries({ queryKey: projectOptions(project.id).queryKey });
      tell("Saved");
    },
  });
  const problem = save.isError ? asProblem(save.error) : null;
  const isChanged = name.trim() !== project.name || timezone !== project.timezone || weekStart !== project.week_start;
  return (
    <Section title="Project" description="Days and weeks begin where the project is, for everybody who looks at it.">
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Field
          label="Name"
          required
          maxLength={200}
          disabled={!canEdit}
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={problem === null ? undefined : (problem.field("name") ?? problem.detail)}
        />
        <div className="grid gap-4 sm:grid-cols-2">
          <div>
            <p className="mb-1 text-13 font-medium">Time zone</p>
            <Picker
              label="Time zone"
              spoken={`${timezone.replaceAll("_", " ")}: time zone`}
              placeholder="Type a city"
              choices={TIMEZONES}
              value={timezone}
              onPick={setTimezone}
              trigger={
                <button type="button" disabled={!canEdit} className={`${buttonClass()} w-full justify-start! font-normal`}>
                  {timezone.replaceAll("_", " ")}
                </button>
              }
            />
          </div>
          <div>
            <p className="mb-1 text-13 font-medium">A week begins on</p>
            <Select label="A week begins on" value={weekStart} options={WEEK_STARTS} disabled={!canEdit} onChange={setWeekStart} className="w-full" />
          </div>
        </div>
        {canEdit ? (
          <Button type="submit" kind="primary" disabled={!isChanged || save.isPending} className="self-start">
            {save.isPending ? "Saving…" : "Save"}
          </Button>
        ) : (
          <p className="text-13 text-soft">Admins of the project can change this.</p>
        )}
      </form>
    </Section>
  );
}

function Remove({ project }: { project: OwnProject }) {
  const [asking, setAsking] = useState(false);
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return (
    <Section title="Delete this project" description="Its keys stop working, and its events are deleted. This cannot be undone.">
      <Button kind="danger" onClick={() => setAsking(true)}>
        Delete {project.name}…
      </Button>
      {asking ? (
        <ConfirmByName
          what="project"
          name={project.name}
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            await authApi.DELETE("/projects/{project_id}", { params: { path: { project_id: project.id } }, body: { name: project.name } }).catch((error: unknown) => {
              if (!(error instanceof Problem && error.status === 404)) throw error;
            });
            await renewAccess();
            await navigate({ to: "/" });
            await queryClient.invalidateQueries({ queryKey: meOptions.queryKey });
          }}
        />
      ) : null}
    </Section>
  );
}
