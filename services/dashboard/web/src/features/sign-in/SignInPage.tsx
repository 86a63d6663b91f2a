import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate, useRouter } from "@tanstack/react-router";
import { useState, type SubmitEvent } from "react";
import { authApi, unwrap } from "~/api/client";
import { asProblem, type Problem } from "~/api/problem";
import { signIn } from "~/api/session";
import { Button } from "~/ui/Button";
import { Field } from "~/ui/Field";
import { useTitle } from "~/ui/Page";
import { Failure, Loading, Skeleton } from "~/ui/states";
import { Entrance } from "~/features/sign-in/Entrance";

const route = getRouteApi("/sign-in");

/** Sign in, or make the first account of a new installation. */
export function SignInPage() {
  const registration = useQuery({
    queryKey: ["registration"],
    queryFn: ({ signal }) => unwrap(authApi.GET("/auth/registration", { signal })),
    staleTime: 0,
  });
  const [registering, setRegistering] = useState(false);
  const isFirst = registration.data?.is_first === true;
  useTitle(isFirst ? "Set up" : "Sign in");
  if (registration.isPending)
    return (
      <Entrance title="Footfall">
        <div className="flex flex-col gap-3">
          <Loading />
          <Skeleton className="h-10" />
          <Skeleton className="h-10" />
          <Skeleton className="h-10" />
        </div>
      </Entrance>
    );
  if (registration.isError)
    return (
      <Entrance title="Footfall">
        <Failure error={registration.error} onRetry={() => void registration.refetch()} className="px-0" />
      </Entrance>
    );
  return isFirst || registering ? (
    <AccountForm key="new" isNew isFirst={isFirst} {...(isFirst ? {} : { onOther: () => setRegistering(false) })} />
  ) : (
    <AccountForm key="known" isNew={false} isFirst={false} {...(registration.data.is_open ? { onOther: () => setRegistering(true) } : {})} />
  );
}

function AccountForm({ isNew, isFirst, onOther }: { isNew: boolean; isFirst: boolean; onOther?: () => void }) {
  const { next } = route.useSearch();
  const router = useRouter();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => {
      const value = form.get(name);
      return typeof value === "string" ? value : "";
    };
    setBusy(true);
    setProblem(null);
    try {
      const email = text("email");
      const password = text("password");
      if (isNew) {
        const name = text("name").trim();
        await unwrap(authApi.POST("/auth/register", { body: { email, password, ...(name ? { name } : {}) } }));
      }
      await signIn(email, password);
      queryClient.clear();
      if (isFirst) await navigate({ to: "/new-project", search: { first: true } });
      else if (next === undefined) await navigate({ to: "/" });
      else router.history.push(next);
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };

  return (
    <Entrance
      title={isFirst ? "Welcome to Footfall" : isNew ? "Create your account" : "Sign in"}
      description={isFirst ? "Nobody has an account here yet. Yours comes first, and may do everything." : undefined}
    >
      <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        {isNew ? <Field large label="Name" name="name" autoComplete="name" error={problem?.field("name")} /> : null}
        <Field large label="Email" name="email" type="email" required autoFocus autoComplete="username" error={problem?.field("email")} />
        <Field
          large
          label="Password"
          name="password"
          type="password"
          required
          minLength={isNew ? 10 : undefined}
          autoComplete={isNew ? "new-password" : "current-password"}
          hint={isNew ? "At least 10 characters. A sentence is easy to remember." : undefined}
          error={problem?.field("password")}
        />
        {problem?.fields.length === 0 ? (
          <p role="alert" className="rounded-control bg-bad-soft px-3 py-2 text-bad">
            {problem.detail}
          </p>
        ) : null}
        <Button type="submit" kind="primary" disabled={busy} className="h-10">
          {busy ? "One moment…" : isNew ? "Create account" : "Sign in"}
        </Button>
        {onOther ? (
          <Button kind="quiet" onClick={onOther}>
            {isNew ? "I have an account" : "Create an account"}
          </Button>
        ) : null}
      </form>
    </Entrance>
  );
}
