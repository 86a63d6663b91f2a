import { useNavigate } from "@tanstack/react-router";
import { Check, ChevronsUpDown, Plus } from "lucide-react";
import { useMe, useProject } from "~/api/account";
import { cx } from "~/ui/cx";
import { Mark } from "~/ui/Mark";
import { Menu, MenuGroup, MenuItem, MenuSeparator } from "~/ui/Menu";

export function ProjectSwitcher({ rail }: { rail: boolean }) {
  const navigate = useNavigate();
  const { projects } = useMe();
  const current = useProject();
  return (
    <Menu
      trigger={
        <button
          type="button"
          aria-label={`Project ${current.name}. Switch project`}
          className={cx("flex h-9 min-w-0 items-center gap-2 rounded-control px-1.5 transition-colors hover:bg-hover", rail ? "justify-center" : "flex-1")}
        >
          <Mark className="size-6 shrink-0" />
          {rail ? null : (
            <>
              <span className="min-w-0 flex-1 truncate text-start font-bold" dir="auto">
                {current.name}
              </span>
              <ChevronsUpDown className="size-4 shrink-0 text-faint" aria-hidden />
            </>
          )}
        </button>
      }
    >
      <MenuGroup label="Projects">
        {projects.map((project) => (
          <MenuItem key={project.id} onClick={() => void navigate({ to: "/p/$projectId", params: { projectId: String(project.id) } })}>
            <span className="w-4">{project.id === current.id ? <Check aria-hidden /> : null}</span>
            <span className="max-w-64 truncate" dir="auto">
              {project.name}
              {project.id === current.id ? <span className="sr-only"> (open now)</span> : null}
            </span>
          </MenuItem>
        ))}
      </MenuGroup>
      <MenuSeparator />
      <MenuItem onClick={() => void navigate({ to: "/new-project" })}>
        <Plus aria-hidden />
        New project
      </MenuItem>
    </Menu>
  );
}
