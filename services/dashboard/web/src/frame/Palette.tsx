import { Autocomplete } from "@base-ui/react/autocomplete";
import { Dialog } from "@base-ui/react/dialog";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { User } from "lucide-react";
import { useDeferredValue, useMemo, useState, type ReactNode } from "react";
import { useMe, useProject } from "~/api/account";
import { dashboardsOptions } from "~/features/dashboards/api";
import { eventNamesOptions } from "~/features/insights/names";
import { foundPeopleOptions } from "~/features/people/api";
import { personName } from "~/features/people/names";
import { DESTINATIONS } from "~/frame/navigation";

const LEAST_LETTERS = 2;

interface Entry {
  id: string;
  kind: string;
  label: string;
  words: string;
  icon?: ReactNode;
  go: () => void;
}

/** Finds any page, dashboard, event, person or project by a few letters of its name. */
export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog.Root
      open={open}
      onOpenChange={(next) => {
        if (!next) onClose();
      }}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-50 bg-text/30 dark:bg-canvas/70" />
        <Dialog.Popup aria-label="Search" className="floating fixed top-[12dvh] left-1/2 z-50 w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 overflow-hidden outline-none">
          <Entries onClose={onClose} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Entries({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const navigate = useNavigate();
  const project = useProject();
  const { projects } = useMe();
  const dashboards = useQuery(dashboardsOptions(project.id)).data;
  const events = useQuery(eventNamesOptions(project.id)).data;
  const wanted = useDeferredValue(typed.trim());
  const people = useQuery({ ...foundPeopleOptions(project.id, wanted), enabled: wanted.length >= LEAST_LETTERS });
  const params = useMemo(() => ({ projectId: String(project.id) }), [project.id]);

  const entries: Entry[] = [
    ...DESTINATIONS.map(({ to, label, words, icon: Icon }) => ({
      id: to,
      kind: "Page",
      label,
      words: words ?? "",
      icon: <Icon className="size-4" aria-hidden />,
      go: () => void navigate({ to, params, search: {} }),
    })),
    ...(dashboards ?? []).map((dashboard) => ({
      id: `dashboard ${dashboard.id}`,
      kind: "Dashboard",
      label: dashboard.name,
      words: dashboard.description,
      go: () => void navigate({ to: "/p/$projectId/dashboards/$dashboardId", params: { ...params, dashboardId: String(dashboard.id) } }),
    })),
    ...(events ?? []).slice(0, 200).map(({ event }) => ({
      id: `event ${event}`,
      kind: "Event",
      label: event,
      words: "trends",
      go: () => void navigate({ to: "/p/$projectId/trends", params, search: { series: [{ event }] } }),
    })),
    ...projects
      .filter((each) => each.id !== project.id)
      .map((each) => ({
        id: `project ${each.id}`,
        kind: "Project",
        label: each.name,
        words: "switch",
        go: () => void navigate({ to: "/p/$projectId", params: { projectId: String(each.id) } }),
      })),
  ];
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries
    .filter((entry) => words.every((word) => `${entry.label} ${entry.kind} ${entry.words}`.toLowerCase().includes(word)))
    .slice(0, 50);
  // The server has looked for people, also in what is known of them.
  const foundPeople = (wanted.length >= LEAST_LETTERS ? (people.data ?? []) : []).map((person): Entry => {
    const distinctId = person.distinct_ids[0] ?? person.person_id;
    return {
      id: `person ${person.person_id}`,
      kind: "Person",
      label: personName(person),
      words: "",
      icon: <User className="size-4" aria-hidden />,
      go: () => void navigate({ to: "/p/$projectId/people/$distinctId", params: { ...params, distinctId } }),
    };
  });

  return (
    <Autocomplete.Root
      items={[...found, ...foundPeople]}
      open
      inline
      mode="none"
      autoHighlight="always"
      value={typed}
      onValueChange={setTyped}
      itemToStringValue={(entry: Entry) => entry.label}
    >
      <Autocomplete.Input aria-label="Search" placeholder="Find a page, a dashboard, an event, a person…" className="h-12 w-full border-b border-line bg-transparent px-4 text-16 outline-none" />
      <Autocomplete.Empty className="empty:hidden">
        <p className="px-4 py-6 text-center text-soft">{people.isFetching ? "Looking…" : "Nothing has that name."}</p>
      </Autocomplete.Empty>
      <Autocomplete.List className="max-h-80 overflow-y-auto p-2 empty:hidden">
        {(entry: Entry) => (
          <Autocomplete.Item
            key={entry.id}
            value={entry}
            onClick={() => {
              onClose();
              entry.go();
            }}
            className="flex h-9 items-center gap-3 rounded-control px-3 outline-none data-highlighted:bg-hover"
          >
            {entry.icon ?? <span className="size-4" />}
            <span className="min-w-0 flex-1 truncate" dir="auto">
              {entry.label}
            </span>
            <span className="text-12 text-faint">{entry.kind}</span>
          </Autocomplete.Item>
        )}
      </Autocomplete.List>
    </Autocomplete.Root>
  );
}
