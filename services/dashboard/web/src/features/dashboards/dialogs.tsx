import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem } from "~/api/problem";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { Field } from "~/ui/Field";

interface RenameProps {
  what: string;
  name: string;
  onClose: () => void;
  onSave: (name: string) => Promise<void>;
}

export function Rename({ what, name, onClose, onSave }: RenameProps) {
  const [text, setText] = useState(name);
  const save = useMutation({ mutationFn: () => onSave(text.trim()), onSuccess: onClose });
  return (
    <Dialog open onClose={onClose} title={`Rename ${what}`}>
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
          autoFocus
          maxLength={200}
          value={text}
          onChange={(event) => setText(event.target.value)}
          error={save.isError ? asProblem(save.error).detail : undefined}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={save.isPending}>
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface ConfirmProps {
  what: string;
  name: string;
  onClose: () => void;
  onConfirm: () => Promise<void>;
}

/** What cannot be undone asks for the name of what it destroys. */
export function ConfirmByName({ what, name, onClose, onConfirm }: ConfirmProps) {
  const [text, setText] = useState("");
  const confirm = useMutation({ mutationFn: onConfirm });
  return (
    <Dialog open onClose={onClose} title={`Delete “${name}”?`} description="This cannot be undone.">
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (text === name) confirm.mutate();
        }}
      >
        <Field
          label={`Type the ${what}’s name to delete it`}
          autoFocus
          autoComplete="off"
          placeholder={name}
          value={text}
          onChange={(event) => setText(event.target.value)}
          error={confirm.isError ? asProblem(confirm.error).detail : undefined}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="danger" disabled={text !== name || confirm.isPending}>
            Delete {what}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
