import { Link } from "@tanstack/react-router";
import { useProject } from "~/api/account";
import { buttonClass } from "~/ui/Button";

/** The next step where there are no events yet. */
export function ConnectLink() {
  return (
    <Link to="/p/$projectId/connect" params={{ projectId: String(useProject().id) }} className={buttonClass("primary")}>
      Copy a snippet
    </Link>
  );
}
