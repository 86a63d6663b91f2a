import { Download, Link2, LayoutDashboard } from "lucide-react";
import { useState, type RefObject } from "react";
import { may, useProject } from "~/api/account";
import { asProblem } from "~/api/problem";
import { savePicture } from "~/charts/picture";
import { SaveChanges } from "~/features/dashboards/SaveChanges";
import { SaveDialog } from "~/features/dashboards/SaveDialog";
import type { Origin } from "~/features/dashboards/useOrigin";
import { downloadCsv, type Kind, type Questions } from "~/features/insights/ask";
import { Button } from "~/ui/Button";
import { cx } from "~/ui/cx";
import { Menu, MenuItem } from "~/ui/Menu";
import { tell } from "~/ui/toast";

interface ActionsProps<K extends Kind> {
  kind: K;
  query: Questions[K] | null;
  /** The question in words: what the saved widget is called until somebody says otherwise. */
  name: string;
  visualization: string;
  /** Where somebody came from. */
  origin: Origin | null;
  /** Where the chart is drawn. */
  picture: RefObject<HTMLElement | null>;
}

/** Save, share, export. */
export function Actions<K extends Kind>({ kind, query, name, visualization, origin, picture }: ActionsProps<K>) {
  const project = useProject();
  const [saving, setSaving] = useState(false);
  const widget = origin?.widget ?? null;
  const share = () =>
    void navigator.clipboard.writeText(location.href).then(
      () => tell("Link copied. It opens exactly what you see."),
      () => tell("The browser keeps the clipboard closed here. Copy the address instead."),
    );
  return (
    <div className={cx("flex flex-wrap gap-2 sm:ms-auto", widget !== null && "max-sm:[&_svg]:hidden")}>
      <Button kind="quiet" onClick={share}>
        <Link2 aria-hidden />
        Share
      </Button>
      <Menu
        align="end"
        trigger={
          <Button kind="quiet" disabled={query === null}>
            <Download aria-hidden />
            Export
          </Button>
        }
      >
        <MenuItem
          onClick={() => {
            if (query !== null) downloadCsv(kind, project.id, query).catch((error: unknown) => tell(asProblem(error).detail));
          }}
        >
          Numbers as CSV
        </MenuItem>
        <MenuItem
          onClick={() => {
            const drawn = picture.current;
            if (drawn === null) tell("There is no chart to save yet.");
            else savePicture(drawn, name, `${kind}.png`).catch((error: unknown) => tell(asProblem(error).detail));
          }}
        >
          Chart as PNG
        </MenuItem>
      </Menu>
      {may(project, "editor") ? (
        <>
          <Button kind={widget === null ? "primary" : "quiet"} disabled={query === null} onClick={() => setSaving(true)}>
            <LayoutDashboard aria-hidden />
            {widget === null ? (
              <span>
                Save<span className="max-sm:sr-only"> to dashboard</span>
              </span>
            ) : (
              "Save as new"
            )}
          </Button>
          {origin !== null && widget !== null ? (
            <SaveChanges key={widget.id} dashboard={origin.dashboard} widget={widget} query={query} visualization={visualization} />
          ) : null}
        </>
      ) : null}
      {saving && query !== null ? <SaveDialog kind={kind} query={query} name={name} visualization={visualization} dashboardId={origin?.dashboard.id} onClose={() => setSaving(false)} /> : null}
    </div>
  );
}
