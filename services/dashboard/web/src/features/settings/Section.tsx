import type { ReactNode } from "react";
import { Panel } from "~/ui/Page";

export function Section({ title, description, action, children }: { title: string; description?: string; action?: ReactNode; children: ReactNode }) {
  return (
    <Panel label={title}>
      <header className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 border-b border-line px-4 py-3">
        <h2 className="text-14">{title}</h2>
        <div className="sm:row-span-2 sm:self-start">{action}</div>
        {description ? <p className="max-w-[72ch] text-13 text-soft max-sm:col-span-2 max-sm:mt-1">{description}</p> : null}
      </header>
      <div className="p-4">{children}</div>
    </Panel>
  );
}
