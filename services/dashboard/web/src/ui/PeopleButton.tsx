import type { ReactNode } from "react";
import { cx } from "~/ui/cx";

interface PeopleButtonProps {
  /** Left out where nobody is behind the number, or where it is only looked at. */
  onClick?: (() => void) | undefined;
  children: ReactNode;
  title?: string | undefined;
  className?: string;
  /** -1 where something else leads to it with keys. */
  tabIndex?: number;
}

/** A number, with the way to the people behind it. */
export function PeopleButton({ onClick, children, title = "Who they are", className = "hover:text-accent-text", tabIndex }: PeopleButtonProps) {
  if (onClick === undefined) return children;
  return (
    <button type="button" title={title} tabIndex={tabIndex} onClick={onClick} className={cx("underline-offset-2 hover:underline", className)}>
      {children}
    </button>
  );
}
