import { RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { asProblem } from "~/api/problem";
import { Button } from "~/ui/Button";
import { CopyButton } from "~/ui/Copy";
import { cx } from "~/ui/cx";

/** Nothing yet: what this will show, and the one next step. */
export function Empty({ title, children, action, className }: { title: string; children?: ReactNode; action?: ReactNode; className?: string }) {
  return (
    <div className={cx("flex flex-col items-center justify-center px-6 py-12 text-center", className)}>
      <h2 className="text-16 font-bold">{title}</h2>
      {children ? <p className="mt-1 max-w-[52ch] text-soft">{children}</p> : null}
      {action ? <div className="mt-4 flex flex-wrap justify-center gap-2">{action}</div> : null}
    </div>
  );
}

/** What happened, what to do, and the technical part for whoever wants it. */
export function Failure({ error, onRetry, title, className }: { error: unknown; onRetry?: () => void; title?: string; className?: string }) {
  const problem = asProblem(error);
  const technical = JSON.stringify(
    { status: problem.status, title: problem.title, detail: problem.detail, errors: problem.fields, request_id: problem.requestId },
    null,
    2,
  );
  return (
    <div role="alert" className={cx("px-6 py-10 text-center", className)}>
      <h2 className="text-16 font-bold">{title ?? problem.title}</h2>
      <p className="mx-auto mt-1 max-w-[60ch] break-words text-soft">{problem.detail}</p>
      <div className="mt-4 flex justify-center gap-2">
        {onRetry ? (
          <Button onClick={onRetry}>
            <RotateCw aria-hidden />
            Try again
          </Button>
        ) : null}
      </div>
      <details className="mx-auto mt-4 max-w-lg text-start">
        <summary className="text-center text-13 text-soft hover:text-text">Technical details</summary>
        <div className="relative mt-2 rounded-control bg-sunken p-3">
          <pre className="overflow-x-auto font-mono text-12 whitespace-pre-wrap">{technical}</pre>
          <CopyButton text={technical} className="absolute top-2 right-2" />
        </div>
      </details>
    </div>
  );
}

/** Says that something is on its way, where a skeleton shows it. */
export function Loading() {
  return (
    <p role="status" className="sr-only">
      Loading
    </p>
  );
}

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cx("skeleton", className)} />;
}

/** Rows of a list that is on its way. */
export function SkeletonRows({ rows = 6 }: { rows?: number }) {
  return (
    <div className="divide-y divide-line">
      <Loading />
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="flex h-10 items-center gap-4 px-4">
          <Skeleton className="h-3 w-40" />
          <Skeleton className="h-3 flex-1" />
          <Skeleton className="h-3 w-16" />
        </div>
      ))}
    </div>
  );
}
