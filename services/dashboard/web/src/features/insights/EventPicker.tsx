import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useProject } from "~/api/account";
import { eventNamesOptions } from "~/features/insights/names";
import { compact } from "~/format/numbers";
import { Picker, type Choice } from "~/ui/Picker";

const ANY = "\u0000any";

interface EventPickerProps {
  value?: string | null;
  allowAny?: boolean;
  onPick: (event: string | null) => void;
  trigger: ReactElement;
  spoken: string;
}

/** Any event of late by its name, or one that has never been sent yet. */
export function EventPicker({ value, allowAny = true, onPick, trigger, spoken }: EventPickerProps) {
  const names = useQuery(eventNamesOptions(useProject().id));
  const choices: Choice[] = [
    ...(allowAny ? [{ value: ANY, label: "Any event" }] : []),
    ...(names.data ?? []).map(({ event, count }) => ({ value: event, label: event, note: compact(count) })),
  ];
  return (
    <Picker
      label="Event"
      placeholder="Type an event's name"
      choices={choices}
      isLoading={names.isPending}
      value={value === null ? ANY : (value ?? null)}
      onPick={(picked) => onPick(picked === ANY ? null : picked)}
      free={(typed) => [{ value: typed, label: `Use “${typed}”` }]}
      trigger={trigger}
      spoken={spoken}
    />
  );
}
