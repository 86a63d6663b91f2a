import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { MoreHorizontal } from "lucide-react";
import { useState } from "react";
import { asProblem, toProblem } from "~/api/problem";
import { addWidget, changeWidget, copyWidget, dashboardOptions, removeWidget, type Dashboard, type Widget, type WidgetResult } from "~/features/dashboards/api";
import { contentHeight } from "~/features/dashboards/Grid";
import { Rename } from "~/features/dashboards/dialogs";
import { linkOf } from "~/features/dashboards/links";
import type { DashboardSearch } from "~/features/dashboards/search";
import { askedOver } from "~/features/dashboards/widgets";
import { WidgetView } from "~/features/dashboards/WidgetView";
import type { Kind } from "~/features/insights/ask";
import type { Behind } from "~/features/people/behind";
import { PeopleDialog } from "~/features/people/PeopleDialog";
import { IconButton } from "~/ui/Button";
import { cx } from "~/ui/cx";
import { Menu, MenuItem, MenuLink, MenuSeparator } from "~/ui/Menu";
import { Failure, Skeleton } from "~/ui/states";
import { tell } from "~/ui/toast";

interface WidgetCardProps {
  dashboard: Dashboard;
  widget: Widget;
  result: WidgetResult | undefined;
  /** With the range over all widgets, if there is one. */
  seen: DashboardSearch;
  /** The answer is that of another range. */
  isStale: boolean;
  canEdit: boolean;
}

export function WidgetCard({ dashboard, widget, result, seen, isStale, canEdit }: WidgetCardProps) {
  const queryClient = useQueryClient();
  const [renaming, setRenaming] = useState(false);
  const [[first, ...others], setLists] = useState<readonly Behind[]>([]);
  const again = () => queryClient.invalidateQueries({ queryKey: dashboardOptions(dashboard.id).queryKey });
  const attempt = (work: Promise<unknown>) => void work.then(again).catch((error: unknown) => tell(asProblem(error).detail));
  const remove = () =>
    attempt(
      removeWidget(dashboard.id, widget.id).then(() =>
        tell(`“${widget.name}” was removed`, {
          label: "Undo",
          onClick: () => {
            const { name, kind, query, layout, visualization } = widget;
            attempt(addWidget(dashboard.id, { name, kind, query, layout, visualization }));
          },
        }),
      ),
    );
  const edit = linkOf(dashboard, widget, seen, {});
  const link = linkOf(dashboard, widget, seen);
  return (
    <section aria-label={widget.name} className="flex h-full flex-col rounded-surface border border-line bg-surface">
      <header className="flex min-h-11 items-center gap-2 ps-4 pe-2 pt-1">
        <h2 className="min-w-0 flex-1 truncate text-14 font-medium" title={widget.name} dir="auto">
          {link ? (
            <Link {...link} className="hover:text-accent-text">
              {widget.name}
            </Link>
          ) : (
            widget.name
          )}
        </h2>
        {canEdit ? (
          <Menu
            align="end"
            trigger={
              <IconButton label={`More about ${widget.name}`} className="size-7">
                <MoreHorizontal />
              </IconButton>
            }
          >
            {edit ? <MenuLink render={<Link {...edit} />}>Edit</MenuLink> : null}
            <MenuItem onClick={() => setRenaming(true)}>Rename</MenuItem>
            <MenuItem onClick={() => attempt(copyWidget(dashboard.id, widget.id))}>Duplicate</MenuItem>
            <MenuSeparator />
            <MenuItem danger onClick={remove}>
              Remove
            </MenuItem>
          </Menu>
        ) : null}
      </header>
      <div inert={isStale} className={cx("min-h-0 flex-1 overflow-auto px-4 pb-3 transition-opacity duration-150", isStale && "opacity-45")}>
        {result === undefined ? (
          <div className="h-full min-h-16 pt-2">
            <Skeleton className="h-full min-h-14" />
          </div>
        ) : result.error ? (
          <Failure error={toProblem(0, result.error, null)} className="py-4" />
        ) : result.result ? (
          <WidgetView widget={widget} result={result.result} height={contentHeight({ x: 0, y: 0, w: widget.layout.w ?? 6, h: widget.layout.h ?? 4 })} onPeople={setLists} />
        ) : null}
      </div>
      {first ? (
        <PeopleDialog kind={widget.kind as Kind} query={askedOver(widget.query, seen)} lists={[first, ...others]} onClose={() => setLists([])} />
      ) : null}
      {renaming ? (
        <Rename
          what="widget"
          name={widget.name}
          onClose={() => setRenaming(false)}
          onSave={async (name) => {
            await changeWidget(dashboard.id, widget.id, { name });
            await again();
          }}
        />
      ) : null}
    </section>
  );
}
