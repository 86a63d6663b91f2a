import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { may, projectOptions, type OwnProject } from "~/api/account";
import { authApi, unwrap } from "~/api/client";
import { asProblem } from "~/api/problem";
import { keysOptions, type Key } from "~/features/settings/api";
import { Section } from "~/features/settings/Section";
import { ago, dateTime } from "~/format/times";
import { Button } from "~/ui/Button";
import { CopyButton } from "~/ui/Copy";
import { Dialog } from "~/ui/Dialog";
import { Field } from "~/ui/Field";
import { Segments } from "~/ui/Segments";
import { Failure, SkeletonRows } from "~/ui/states";

const TYPES = [
  { value: "write", label: "Write: may send" },
  { value: "read", label: "Read: may ask" },
] as const;

export function Keys({ project }: { project: OwnProject }) {
  const queryClient = useQueryClient();
  const canEdit = may(project, "admin");
  const keys = useQuery({ ...keysOptions(project.id), enabled: canEdit });
  const [adding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<Key | null>(null);
  const again = async () => {
    await queryClient.invalidateQueries({ queryKey: keysOptions(project.id).queryKey });
    await queryClient.invalidateQueries({ queryKey: projectOptions(project.id).queryKey });
  };
  return (
    <Section
      title="Keys"
      description="A write key may only send events, and may be published. A read key may ask this project's questions: keep it secret."
      action={
        canEdit ? (
          <Button small onClick={() => setAdding(true)}>
            <Plus aria-hidden />
            New key
          </Button>
        ) : null
      }
    >
      {!canEdit ? (
        <p className="text-soft">Admins of the project see and make keys. The write key is on the page Connect.</p>
      ) : keys.isPending ? (
        <SkeletonRows rows={2} />
      ) : keys.isError ? (
        <Failure error={keys.error} onRetry={() => void keys.refetch()} />
      ) : keys.data.length === 0 ? (
        <p className="text-soft">No key works. Make a write key to send events.</p>
      ) : (
        <ul className="-my-2 divide-y divide-line">
          {keys.data.map((key) => (
            <li key={key.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
              <span className="min-w-0 flex-1 basis-64">
                <span className="font-medium" dir="auto">
                  {key.name}
                </span>{" "}
                <span className="ms-1 rounded-[4px] bg-sunken px-1.5 py-0.5 text-12 text-soft">{key.type}</span>
                <span className="block font-mono text-12 break-all text-soft">{key.key}</span>
              </span>
              <span className="text-13 text-soft" title={`Made ${dateTime(new Date(key.created_at), project.timezone)}`}>
                {key.last_used_at ? `used ${ago(new Date(key.last_used_at), new Date())}` : "never used"}
              </span>
              <span className="flex gap-2">
                {key.type === "write" ? <CopyButton text={key.key} what={key.name} /> : null}
                <Button small kind="danger" aria-label={`Revoke: ${key.name}`} onClick={() => setRevoking(key)}>
                  Revoke
                </Button>
              </span>
            </li>
          ))}
        </ul>
      )}
      {adding ? <NewKey project={project} onClose={() => setAdding(false)} onDone={again} /> : null}
      {revoking ? <Revoke project={project} revoked={revoking} onClose={() => setRevoking(null)} onDone={again} /> : null}
    </Section>
  );
}

function NewKey({ project, onClose, onDone }: { project: OwnProject; onClose: () => void; onDone: () => Promise<void> }) {
  const [name, setName] = useState("");
  const [type, setType] = useState<"write" | "read">("write");
  const make = useMutation({
    mutationFn: () => unwrap(authApi.POST("/projects/{project_id}/keys", { params: { path: { project_id: project.id } }, body: { name: name.trim(), type } })),
    onSuccess: onDone,
  });
  if (make.data)
    return (
      <Dialog open onClose={onClose} title={`“${make.data.name}” is ready`} description={type === "read" ? "Copy it now: it is shown this once." : undefined}>
        <p className="rounded-control bg-sunken p-3 font-mono text-13 break-all" data-testid="new-key">
          {make.data.key}
        </p>
        <div className="mt-4 flex justify-end gap-2">
          <CopyButton text={make.data.key} />
          <Button kind="primary" small onClick={onClose}>
            Done
          </Button>
        </div>
      </Dialog>
    );
  return (
    <Dialog open onClose={onClose} title="New key">
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <Field
          label="Name"
          required
          autoFocus
          maxLength={200}
          placeholder="Nightly report"
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={make.isError ? asProblem(make.error).detail : undefined}
        />
        <Segments label="What it may do" value={type} options={TYPES} onChange={setType} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={make.isPending}>
            Make the key
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Revoke({ project, revoked, onClose, onDone }: { project: OwnProject; revoked: Key; onClose: () => void; onDone: () => Promise<void> }) {
  const revoke = useMutation({
    mutationFn: () => authApi.DELETE("/projects/{project_id}/keys/{key_id}", { params: { path: { project_id: project.id, key_id: revoked.id } } }),
    onSuccess: async () => {
      await onDone();
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Revoke “${revoked.name}”?`}
      description="Whatever uses it is refused within 30 seconds. This cannot be undone; a new key takes a moment."
    >
      {revoke.isError ? (
        <p role="alert" className="mb-3 text-bad">
          {asProblem(revoke.error).detail}
        </p>
      ) : null}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Keep it</Button>
        <Button kind="danger" disabled={revoke.isPending} onClick={() => revoke.mutate()}>
          Revoke the key
        </Button>
      </div>
    </Dialog>
  );
}
