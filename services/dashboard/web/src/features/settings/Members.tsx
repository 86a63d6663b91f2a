import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { UserPlus } from "lucide-react";
import { useState } from "react";
import { may, meOptions, ROLES, useMe, type OwnProject, type Role } from "~/api/account";
import { authApi, unwrap } from "~/api/client";
import { asProblem, Problem } from "~/api/problem";
import { renewAccess } from "~/api/session";
import { membersOptions, type Member } from "~/features/settings/api";
import { Section } from "~/features/settings/Section";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { Field } from "~/ui/Field";
import { Select } from "~/ui/Select";
import { Failure, SkeletonRows } from "~/ui/states";
import { tell } from "~/ui/toast";

const ROLE_OPTIONS = [
  { value: "owner", label: "Owner" },
  { value: "admin", label: "Admin" },
  { value: "editor", label: "Editor" },
  { value: "viewer", label: "Viewer" },
] as const satisfies readonly { value: Role; label: string }[];

export function Members({ project }: { project: OwnProject }) {
  const queryClient = useQueryClient();
  const me = useMe();
  const members = useQuery(membersOptions(project.id));
  const [adding, setAdding] = useState(false);
  const canEdit = may(project, "admin");
  const rank = ROLES.indexOf(project.role);
  const again = () => queryClient.invalidateQueries({ queryKey: membersOptions(project.id).queryKey });
  const path = (member: Member) => ({ params: { path: { project_id: project.id, user_id: member.user_id } } });
  const attempt = (work: Promise<unknown>) => void work.then(again).catch((error: unknown) => tell(asProblem(error).detail));
  const remove = (member: Member) =>
    attempt(
      authApi.DELETE("/projects/{project_id}/members/{user_id}", path(member)).then(async () => {
        if (member.user_id !== me.id) return;
        await renewAccess();
        await queryClient.invalidateQueries({ queryKey: meOptions.queryKey });
      }),
    );
  return (
    <Section
      title="Members"
      description="Viewers look, editors save to dashboards, admins manage keys and members, owners may delete the project."
      action={
        canEdit ? (
          <Button small onClick={() => setAdding(true)}>
            <UserPlus aria-hidden />
            Add somebody
          </Button>
        ) : null
      }
    >
      {members.isPending ? (
        <SkeletonRows rows={2} />
      ) : members.isError ? (
        <Failure error={members.error} onRetry={() => void members.refetch()} />
      ) : (
        <ul className="-my-2 divide-y divide-line">
          {members.data.map((member) => (
            <li key={member.user_id} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
              <span className="min-w-0 flex-1 basis-48">
                <span className="font-medium" dir="auto">
                  {member.name}
                </span>
                {member.user_id === me.id ? <span className="text-soft"> (you)</span> : null}
                <span className="block truncate text-13 text-soft">{member.email}</span>
              </span>
              <span className="flex gap-2">
                <Select
                  label={`Role of ${member.name}`}
                  small
                  value={member.role}
                  disabled={!canEdit || ROLES.indexOf(member.role) > rank}
                  options={ROLE_OPTIONS.filter(({ value }) => ROLES.indexOf(value) <= rank || value === member.role)}
                  onChange={(role) => attempt(unwrap(authApi.PATCH("/projects/{project_id}/members/{user_id}", { ...path(member), body: { role } })))}
                />
                {canEdit || member.user_id === me.id ? (
                  <Button small kind="danger" onClick={() => remove(member)} aria-label={`${member.user_id === me.id ? "Leave" : "Remove"}: ${member.name}`}>
                    {member.user_id === me.id ? "Leave" : "Remove"}
                  </Button>
                ) : null}
              </span>
            </li>
          ))}
        </ul>
      )}
      {adding ? <NewMember project={project} onClose={() => setAdding(false)} onDone={again} /> : null}
    </Section>
  );
}

function NewMember({ project, onClose, onDone }: { project: OwnProject; onClose: () => void; onDone: () => Promise<void> }) {
  const me = useMe();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("editor");
  const add = useMutation({
    mutationFn: async () => {
      const join = () => unwrap(authApi.POST("/projects/{project_id}/members", { params: { path: { project_id: project.id } }, body: { email: email.trim(), role } }));
      try {
        await join();
        return null;
      } catch (error) {
        // Whoever administers users can make the account at once.
        if (!(error instanceof Problem && error.status === 404 && me.is_admin)) throw error;
        const made = await unwrap(authApi.POST("/users", { body: { email: email.trim(), is_admin: false } }));
        await join();
        return made.password;
      }
    },
    onSuccess: async (password) => {
      await onDone();
      if (password === null) onClose();
    },
  });
  if (add.data)
    return (
      <Dialog open onClose={onClose} title={`An account for ${email.trim()}`} description="Pass this password on; it is shown this once. It can be changed under Account.">
        <p className="rounded-control bg-sunken p-3 font-mono text-13 break-all">{add.data}</p>
        <div className="mt-4 flex justify-end">
          <Button kind="primary" onClick={onClose}>
            Done
          </Button>
        </div>
      </Dialog>
    );
  return (
    <Dialog open onClose={onClose} title="Add somebody" description={me.is_admin ? "Whoever has no account yet gets one." : "They need an account here already."}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <Field
          label="Email"
          type="email"
          required
          autoFocus
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          error={add.isError ? asProblem(add.error).detail : undefined}
        />
        <div>
          <p className="mb-1 text-13 font-medium">Role</p>
          <Select label="Role" value={role} options={ROLE_OPTIONS.filter(({ value }) => ROLES.indexOf(value) <= ROLES.indexOf(project.role))} onChange={setRole} className="w-full" />
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={add.isPending}>
            Add
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
