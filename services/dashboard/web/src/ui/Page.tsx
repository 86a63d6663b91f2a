import { useEffect, type ReactNode } from "react";
import { cx } from "~/ui/cx";

interface PageProps {
  title: string;
  description?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  narrow?: boolean;
}

/** What every screen has: its name, once, and what can be done with all of it. */
export function Page({ title, description, actions, children, narrow }: PageProps) {
  useTitle(title);
  return (
    <div className={cx("mx-auto w-full px-4 py-5 md:px-8 md:py-7", narrow ? "max-w-4xl" : "max-w-[1440px]")}>
      <header className="mb-5 flex flex-wrap items-start gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-64">
          <h1 className="truncate text-20" dir="auto">
            {title}
          </h1>
          {description ? <p className="mt-0.5 max-w-[72ch] text-soft">{description}</p> : null}
        </div>
        {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
      </header>
      {children}
    </div>
  );
}

export function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · Footfall`;
  }, [title]);
}

/** A surface for what belongs together. */
export function Panel({ children, className, label }: { children: ReactNode; className?: string; label?: string }) {
  return (
    <section aria-label={label} className={cx("rounded-surface border border-line bg-surface", className)}>
      {children}
    </section>
  );
}
