import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useProject } from "~/api/account";
import type { Named } from "~/features/insights/document";
import { personPropertyNamesOptions, propertyNamesOptions } from "~/features/insights/names";
import { propertyLabel } from "~/features/insights/words";
import { compact } from "~/format/numbers";
import { Picker } from "~/ui/Picker";

interface PropertyPickerProps {
  label: string;
  /** The events whose properties come first; none: all. */
  events: readonly string[];
  /** Only properties of events that are numbers sometimes. */
  onlyNumbers?: boolean;
  value?: Named | undefined;
  onPick: (picked: Named) => void;
  trigger: ReactElement;
  spoken: string;
}

const OF_PERSON = "\u0000person ";

const write = ({ property, scope }: Named) => (scope === "person" ? OF_PERSON + property : property);
const read = (text: string): Named =>
  text.startsWith(OF_PERSON) ? { property: text.slice(OF_PERSON.length), scope: "person" } : { property: text };

/** Properties of events, and those of the people who did them. */
export function PropertyPicker({ label, events, onlyNumbers = false, value, onPick, trigger, spoken }: PropertyPickerProps) {
  const project = useProject();
  const names = useQuery(propertyNamesOptions(project.id, events));
  const ofPeople = useQuery({ ...personPropertyNamesOptions(project.id), enabled: !onlyNumbers });
  const fitting = (names.data ?? []).filter(({ types }) => !onlyNumbers || types.includes("number"));
  const choice = (named: Named, note?: string) => ({ value: write(named), label: propertyLabel(named), ...(note === undefined ? {} : { note }) });
  return (
    <Picker
      label={label}
      placeholder="Type a property's name"
      choices={[
        ...fitting.map(({ property, count }) => choice({ property }, compact(count))),
        ...(onlyNumbers ? [] : (ofPeople.data ?? [])).map(({ property }) => choice({ property, scope: "person" }, "person")),
      ]}
      isLoading={names.isPending}
      value={value === undefined ? null : write(value)}
      onPick={(picked) => onPick(read(picked))}
      free={(typed) => [
        { value: typed, label: `Use “${typed}”` },
        ...(onlyNumbers ? [] : [{ value: OF_PERSON + typed, label: `Use “${typed}” of the person` }]),
      ]}
      trigger={trigger}
      spoken={spoken}
    />
  );
}
