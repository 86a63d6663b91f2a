import type { ReactNode } from "react";
import { Mark } from "~/ui/Mark";

/** The frame of what one sees before the application. */
export function Entrance({ title, description, children }: { title: string; description?: ReactNode; children: ReactNode }) {
  return (
    <main className="grid min-h-dvh place-items-start justify-center px-5 pt-[14dvh] pb-10">
      <div className="w-[min(22.5rem,calc(100vw-2.5rem))]">
        <Mark className="mb-5 size-9" />
        <h1 className="text-20">{title}</h1>
        {description ? <p className="mt-1 text-soft">{description}</p> : null}
        <div className="mt-6">{children}</div>
      </div>
    </main>
  );
}
