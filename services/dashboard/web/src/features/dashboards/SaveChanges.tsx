import { hashKey, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem } from "~/api/problem";
import { changeWidget, dashboardOptions, type Dashboard, type Widget } from "~/features/dashboards/api";
import { questionOf } from "~/features/dashboards/links";
import { chartOf } from "~/features/dashboards/widgets";
import { Button } from "~/ui/Button";
import { tell } from "~/ui/toast";

interface SaveChangesProps {
  dashboard: Dashboard;
  widget: Widget;
  query: object | null;
  visualization: string;
}

/** Puts the question that is asked now into the widget that it came from, unless somebody else has changed that meanwhile. */
export function SaveChanges({ dashboard, widget, query, visualization }: SaveChangesProps) {
  const queryClient = useQueryClient();
  // What was there when somebody began; not what is there by now.
  const [seen, setSeen] = useState<number | null>(widget.version);
  const save = useMutation({
    mutationFn: (change: Parameters<typeof changeWidget>[2]) => changeWidget(dashboard.id, widget.id, change),
    onSuccess: ({ version }) => setSeen(version),
    onError: (error) => {
      tell(`“${widget.name}” was not changed: ${asProblem(error).detail}`);
      setSeen(null); // who presses again has been told
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: dashboardOptions(dashboard.id).queryKey }),
  });
  const drawn = chartOf(widget) ?? visualization;
  const isSaved = query !== null && drawn === visualization && hashKey([query]) === hashKey([questionOf(widget)]);
  return (
    <Button
      kind="primary"
      disabled={query === null || isSaved || save.isPending}
      onClick={() =>
        save.mutate(
          { query: { ...query }, visualization, version: seen ?? widget.version },
          {
            onSuccess: ({ version }) =>
              tell(`“${widget.name}” was changed`, {
                label: "Undo",
                onClick: () => save.mutate({ query: widget.query, visualization: widget.visualization, version }),
              }),
          },
        )
      }
    >
      {save.isPending ? "Saving…" : isSaved ? "Saved" : "Save"}
    </Button>
  );
}
