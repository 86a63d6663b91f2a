import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "footfall.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function changed() {
  for (const listener of listeners) listener();
}
dark.addEventListener("change", changed);

export function readTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export function setTheme(theme: Theme) {
  if (theme === "system") {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem(KEY);
  } else {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(KEY, theme);
  }
  changed();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, readTheme);
}

/** Changes whenever colours do, for what draws on a canvas. */
export function useColourScheme(): "light" | "dark" {
  return useSyncExternalStore(subscribe, () => {
    const theme = readTheme();
    return theme === "system" ? (dark.matches ? "dark" : "light") : theme;
  });
}
