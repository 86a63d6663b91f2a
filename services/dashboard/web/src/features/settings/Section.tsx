import type { ReactNode } from "react";
import { Panel } from "~/ui/Page";

export function Section({ title, description, action, children }: { title: string; description?: string; action?: ReactNode; children: ReactNode }) {
  return (
    <Panel label={title}>
      <header className="flex items-start gap-4 border-b border-line px-4 py-3">
        <div className="flex-1">
          <h2 className="text-14">{title}</h2>
          {description ? <p className="max-w-[72ch] text-13 text-soft">{description}</p> : null}
        </div>
        {action}
      </header>
      <div className="p-4">{children}</div>
    </Panel>
  );
}
