import { useState } from "react";
import { Field } from "~/ui/Field";

interface TextInputProps {
  label: string;
  placeholder: string;
  hint?: string | undefined;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** A text that counts when it is left or confirmed, not at every key. */
export function TextInput({ label, placeholder, hint, value, onChange }: TextInputProps) {
  const [text, setText] = useState(value ?? "");
  const [known, setKnown] = useState(value);
  if (known !== value) {
    setKnown(value);
    setText(value ?? "");
  }
  const commit = () => {
    const next = text.trim();
    if (next !== (value ?? "")) onChange(next || undefined);
  };
  return (
    <Field
      label={label}
      placeholder={placeholder}
      hint={hint}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit();
      }}
    />
  );
}
