import type { ComponentProps } from "react";
import { cx } from "~/ui/cx";

type Kind = "primary" | "plain" | "quiet" | "danger";

const KINDS: Record<Kind, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-hover",
  plain: "border border-line bg-surface hover:bg-hover",
  quiet: "text-soft hover:bg-hover hover:text-text",
  danger: "border border-line bg-surface text-bad hover:bg-bad-soft",
};

export function buttonClass(kind: Kind = "plain", small = false): string {
  return cx(
    "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-control font-medium whitespace-nowrap select-none",
    "transition-colors duration-120 disabled:cursor-not-allowed disabled:opacity-50 aria-disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0",
    small ? "h-7 px-2 text-13" : "h-8 px-3 text-14",
    KINDS[kind],
  );
}

export function Button({ kind = "plain", small, className, ...rest }: ComponentProps<"button"> & { kind?: Kind; small?: boolean }) {
  return <button type="button" {...rest} className={cx(buttonClass(kind, small), className)} />;
}

/** A button whose word is only spoken; a tooltip shows it. */
export function IconButton({ label, className, ...rest }: ComponentProps<"button"> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={cx(
        "inline-flex size-8 shrink-0 items-center justify-center rounded-control text-soft transition-colors duration-120",
        "hover:bg-hover hover:text-text disabled:opacity-50 [&_svg]:size-4",
        className,
      )}
    />
  );
}
