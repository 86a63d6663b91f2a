import { useNavigate, useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { DESTINATIONS } from "~/frame/navigation";

const SECOND_KEY_MS = 1_500;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Keys that work everywhere: Ctrl or ⌘ K, ?, and g followed by a page's letter. */
export function useShortcuts({ openPalette, openKeys }: { openPalette: () => void; openKeys: () => void }) {
  const navigate = useNavigate();
  const { projectId } = useParams({ strict: false });
  useEffect(() => {
    let wentAt = -Infinity;
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        openPalette();
        return;
      }
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "?") {
        openKeys();
      } else if (event.key === "g") {
        wentAt = event.timeStamp;
      } else if (event.timeStamp - wentAt < SECOND_KEY_MS) {
        wentAt = -Infinity;
        const found = DESTINATIONS.find((each) => each.key === event.key);
        if (found && projectId !== undefined) void navigate({ to: found.to, params: { projectId }, search: {} });
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
}
