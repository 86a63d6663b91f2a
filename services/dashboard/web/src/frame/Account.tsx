import { useNavigate } from "@tanstack/react-router";
import { Keyboard, LogOut, Monitor, Moon, Sun, UserRound } from "lucide-react";
import { useMe, useProject } from "~/api/account";
import { signOut } from "~/api/session";
import { setTheme, useTheme, type Theme } from "~/frame/theme";
import { cx } from "~/ui/cx";
import { Menu, MenuGroup, MenuItem, MenuSeparator } from "~/ui/Menu";

const THEMES = [
  { value: "system", label: "As the system", icon: Monitor },
  { value: "light", label: "Light", icon: Sun },
  { value: "dark", label: "Dark", icon: Moon },
] as const satisfies readonly { value: Theme; label: string; icon: unknown }[];

export function Account({ rail, onKeys }: { rail: boolean; onKeys: () => void }) {
  const me = useMe();
  const theme = useTheme();
  const navigate = useNavigate();
  const projectId = String(useProject().id);
  return (
    <Menu
      trigger={
        <button
          type="button"
          aria-label={rail ? `Account of ${me.name}` : undefined}
          className={cx("flex h-9 w-full min-w-0 items-center gap-2 rounded-control px-1.5 transition-colors hover:bg-hover", rail && "justify-center")}
        >
          <span aria-hidden className="grid size-6 shrink-0 place-items-center rounded-full bg-accent-soft text-12 font-bold text-accent-text uppercase">
            {me.name.slice(0, 1)}
          </span>
          {rail ? null : (
            <>
              <span className="sr-only">Account of </span>
              <span className="min-w-0 flex-1 truncate text-start" dir="auto">
                {me.name}
              </span>
            </>
          )}
        </button>
      }
    >
      <p className="max-w-64 truncate px-2 pt-1 pb-2 text-13 text-soft">{me.email}</p>
      <MenuSeparator />
      <MenuGroup label="Colours">
        {THEMES.map(({ value, label, icon: Icon }) => (
          <MenuItem key={value} onClick={() => setTheme(value)}>
            <Icon aria-hidden />
            <span className="flex-1">{label}</span>
            {theme === value ? <span className="text-12 text-faint">chosen</span> : null}
          </MenuItem>
        ))}
      </MenuGroup>
      <MenuSeparator />
      <MenuItem onClick={() => void navigate({ to: "/p/$projectId/account", params: { projectId } })}>
        <UserRound aria-hidden />
        Account
      </MenuItem>
      <MenuItem onClick={onKeys}>
        <Keyboard aria-hidden />
        Keyboard shortcuts
      </MenuItem>
      <MenuItem onClick={() => void signOut().then(() => navigate({ to: "/sign-in" }))}>
        <LogOut aria-hidden />
        Sign out
      </MenuItem>
    </Menu>
  );
}
