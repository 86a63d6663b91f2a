import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState, type SubmitEvent } from "react";
import { meOptions, projectOptions, useMe } from "~/api/account";
import { authApi, unwrap } from "~/api/client";
import { asProblem, type Problem } from "~/api/problem";
import { renewAccess } from "~/api/session";
import { Entrance } from "~/features/sign-in/Entrance";
import { TIMEZONES, weekStartOf } from "~/features/sign-in/places";
import { Button, buttonClass } from "~/ui/Button";
import { Field } from "~/ui/Field";
import { useTitle } from "~/ui/Page";
import { Picker } from "~/ui/Picker";
import { Select } from "~/ui/Select";

const route = getRouteApi("/signed-in/new-project");
const WEEK_STARTS = [
  { value: "monday", label: "Monday" },
  { value: "sunday", label: "Sunday" },
] as const;

/** A new project; for the first account, the one that the installation came with gets its name. */
export function NewProjectPage() {
  const { first } = route.useSearch();
  const { projects } = useMe();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const given = first === true && projects.length === 1 ? projects[0] : undefined;
  const [zone, setZone] = useState(Intl.DateTimeFormat().resolvedOptions().timeZone);
  const [weekStart, setWeekStart] = useState<"monday" | "sunday">(weekStartOf(navigator.language));
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  useTitle("New project");

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = new FormData(event.currentTarget).get("name");
    const body = { name: typeof name === "string" ? name : "", timezone: zone, week_start: weekStart };
    setBusy(true);
    setProblem(null);
    try {
      const project = await unwrap(
        given
          ? authApi.PATCH("/projects/{project_id}", { params: { path: { project_id: given.id } }, body })
          : authApi.POST("/projects", { body }),
      );
      await renewAccess();
      queryClient.setQueryData(projectOptions(project.id).queryKey, project);
      await queryClient.query({ ...meOptions, staleTime: 0 });
      await navigate({ to: "/p/$projectId/connect", params: { projectId: String(project.id) } });
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };

  return (
    <Entrance
      title={given ? "Your first project" : "New project"}
      description="A project is one site, app or product. Its events and its people stay apart from all others."
    >
      <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        <Field large label="Name" name="name" required autoFocus placeholder="Web shop" error={problem?.field("name")} />
        <div>
          <p className="mb-1 text-13 font-medium">Time zone</p>
          <Picker
            label="Time zone"
            spoken={`${zone.replaceAll("_", " ")}: time zone`}
            placeholder="Type a city"
            choices={TIMEZONES}
            value={zone}
            onPick={setZone}
            trigger={
              <button type="button" className={`${buttonClass()} h-10 w-full justify-start! font-normal`}>
                {zone.replaceAll("_", " ")}
              </button>
            }
          />
          <p className="mt-1 text-13 text-soft">{problem?.field("timezone") ?? "Days and weeks begin there."}</p>
        </div>
        <div>
          <p className="mb-1 text-13 font-medium">A week begins on</p>
          <Select label="A week begins on" value={weekStart} options={WEEK_STARTS} onChange={setWeekStart} className="h-10 w-full" />
        </div>
        {problem?.fields.length === 0 ? (
          <p role="alert" className="rounded-control bg-bad-soft px-3 py-2 text-bad">
            {problem.detail}
          </p>
        ) : null}
        <Button type="submit" kind="primary" disabled={busy} className="h-10">
          {busy ? "One moment…" : "Continue"}
        </Button>
      </form>
    </Entrance>
  );
}
