import { useId, type ComponentProps, type ReactNode } from "react";
import { cx } from "~/ui/cx";

export const inputClass =
  "h-8 w-full rounded-control border border-line bg-surface px-2.5 text-14 transition-colors hover:border-line-strong aria-invalid:border-bad disabled:bg-sunken disabled:text-faint";

interface FieldProps extends ComponentProps<"input"> {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  large?: boolean;
}

/** A labelled input with its hint, or what is wrong with what it has. */
export function Field({ label, hint, error, large, className, ...rest }: FieldProps) {
  const id = useId();
  const said = error ?? hint;
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-13 font-medium">
        {label}
      </label>
      <input
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={said ? `${id}-said` : undefined}
        {...rest}
        className={cx(inputClass, large && "h-10")}
      />
      {said ? (
        <p id={`${id}-said`} className={cx("mt-1 text-13", error ? "text-bad" : "text-soft")}>
          {said}
        </p>
      ) : null}
    </div>
  );
}
