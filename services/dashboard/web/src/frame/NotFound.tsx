import { Link } from "@tanstack/react-router";
import { buttonClass } from "~/ui/Button";
import { Empty } from "~/ui/states";

export function NotFound() {
  return (
    <main className="grid min-h-dvh place-items-center">
      <Empty
        title="There is no such page"
        action={
          <Link to="/" className={buttonClass("primary")}>
            Go home
          </Link>
        }
      >
        The address may be mistyped, or what it showed was deleted.
      </Empty>
    </main>
  );
}
