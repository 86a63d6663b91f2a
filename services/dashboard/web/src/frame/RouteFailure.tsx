import { useRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { Failure } from "~/ui/states";

export function RouteFailure({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <main className="grid min-h-96 place-items-center">
      <Failure
        error={error}
        onRetry={() => {
          reset();
          void router.invalidate();
        }}
      />
    </main>
  );
}
