import { Check, Copy as CopyIcon } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Button } from "~/ui/Button";

/** The clipboard is there on https and on this machine only; elsewhere a selection has to do. */
async function writeClipboard(text: string): Promise<void> {
  const clipboard = (navigator as { clipboard?: Clipboard }).clipboard;
  if (clipboard) return clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is no other way without a secure context
  document.execCommand("copy");
  area.remove();
}

interface CopyButtonProps {
  text: string;
  label?: string;
  /** What is copied, where there are several buttons; it is only spoken. */
  what?: string;
  className?: string;
}

export function CopyButton({ text, label = "Copy", what, className }: CopyButtonProps) {
  const [done, setDone] = useState(false);
  const timer = useRef<number>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <Button
      small
      {...(className === undefined ? {} : { className })}
      onClick={() => {
        void writeClipboard(text).then(() => {
          setDone(true);
          clearTimeout(timer.current);
          timer.current = window.setTimeout(() => setDone(false), 2000);
        });
      }}
    >
      {done ? <Check aria-hidden /> : <CopyIcon aria-hidden />}
      <span aria-live="polite">
        {done ? "Copied" : label}
        {what && !done ? <span className="sr-only">: {what}</span> : null}
      </span>
    </Button>
  );
}
