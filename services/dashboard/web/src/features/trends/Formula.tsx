import { TextInput } from "~/features/insights/TextInput";
import { letterOf } from "~/features/trends/document";

/** A formula over the series' letters. */
export function Formula({ value, count, onChange }: { value: string | undefined; count: number; onChange: (formula: string | undefined) => void }) {
  const last = letterOf(Math.max(0, count - 1));
  return (
    <TextInput
      label="Formula"
      placeholder={count > 1 ? `A / ${last} * 100` : "A * 2"}
      hint={count > 1 ? `A to ${last} are the events above.` : undefined}
      value={value}
      onChange={onChange}
    />
  );
}
