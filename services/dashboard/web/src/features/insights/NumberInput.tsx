import { useState } from "react";
import { cx } from "~/ui/cx";
import { inputClass } from "~/ui/Field";

interface NumberInputProps {
  label: string;
  value: number;
  least: number;
  most: number;
  onChange: (value: number) => void;
}

/** A whole number that counts once it is whole and within its bounds. */
export function NumberInput({ label, value, least, most, onChange }: NumberInputProps) {
  const [text, setText] = useState(String(value));
  const [known, setKnown] = useState(value);
  if (known !== value) {
    setKnown(value);
    setText(String(value));
  }
  const number = Number(text);
  const isGood = text.trim() !== "" && Number.isInteger(number) && number >= least && number <= most;
  return (
    <input
      type="text"
      inputMode="numeric"
      aria-label={label}
      aria-invalid={isGood ? undefined : true}
      value={text}
      onChange={(event) => {
        setText(event.target.value);
        const next = Number(event.target.value);
        if (event.target.value.trim() !== "" && Number.isInteger(next) && next >= least && next <= most) onChange(next);
      }}
      onBlur={() => setText(String(value))}
      className={cx(inputClass, "figure w-16!")}
    />
  );
}
