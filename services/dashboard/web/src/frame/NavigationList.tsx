import { Link } from "@tanstack/react-router";
import { useProject } from "~/api/account";
import { NAVIGATION } from "~/frame/navigation";
import { cx } from "~/ui/cx";

export function NavigationList({ rail }: { rail: boolean }) {
  const projectId = String(useProject().id);
  return (
    <nav aria-label="Pages" className="-mx-1 flex flex-col gap-4 overflow-y-auto px-1 py-1">
      {NAVIGATION.map((group) => (
        <div key={group.title}>
          {group.title && !rail ? (
            <p aria-hidden className="mb-1 px-2 text-12 font-medium text-faint">
              {group.title}
            </p>
          ) : null}
          <ul {...(group.title ? { "aria-label": group.title } : {})} className="flex flex-col gap-px">
            {group.destinations.map(({ to, label, icon: Icon }) => (
              <li key={to}>
                <Link
                  to={to}
                  params={{ projectId }}
                  search={{}}
                  activeOptions={{ exact: to === "/p/$projectId", includeSearch: false }}
                  title={rail ? label : undefined}
                  className={cx(
                    "flex h-8 items-center gap-2.5 rounded-control px-2 text-soft transition-colors duration-120 hover:bg-hover hover:text-text",
                    "aria-[current=page]:bg-hover aria-[current=page]:font-medium aria-[current=page]:text-text",
                    rail && "justify-center",
                  )}
                >
                  <Icon className="size-4 shrink-0" aria-hidden />
                  <span className={rail ? "sr-only" : "truncate"}>{label}</span>
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}
