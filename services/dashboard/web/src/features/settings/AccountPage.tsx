import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useMe } from "~/api/account";
import { authApi } from "~/api/client";
import { asProblem } from "~/api/problem";
import { Section } from "~/features/settings/Section";
import { Button } from "~/ui/Button";
import { Field } from "~/ui/Field";
import { Page } from "~/ui/Page";
import { tell } from "~/ui/toast";

export function AccountPage() {
  const me = useMe();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const change = useMutation({
    mutationFn: () => authApi.POST("/auth/password", { body: { current_password: current, new_password: next } }),
    onSuccess: () => {
      setCurrent("");
      setNext("");
      tell("Your password is changed, and all your other sessions have ended.");
    },
  });
  const problem = change.isError ? asProblem(change.error) : null;
  return (
    <Page narrow title="Account" description={me.email}>
      <Section title="Password" description="Changing it ends all your other sessions.">
        <form
          className="flex max-w-sm flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            change.mutate();
          }}
        >
          <input type="email" autoComplete="username" value={me.email} readOnly hidden />
          <Field
            label="Current password"
            type="password"
            autoComplete="current-password"
            required
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
            error={problem !== null && problem.field("new_password") === undefined ? problem.detail : undefined}
          />
          <Field
            label="New password"
            type="password"
            autoComplete="new-password"
            required
            minLength={10}
            hint="At least 10 characters. A sentence is easy to remember."
            value={next}
            onChange={(event) => setNext(event.target.value)}
            error={problem?.field("new_password")}
          />
          <Button type="submit" kind="primary" disabled={change.isPending} className="self-start">
            {change.isPending ? "Changing…" : "Change password"}
          </Button>
        </form>
      </Section>
    </Page>
  );
}
