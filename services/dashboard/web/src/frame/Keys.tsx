import { DESTINATIONS } from "~/frame/navigation";
import { Dialog } from "~/ui/Dialog";

const GENERAL = [
  ["Ctrl K", "Find anything"],
  ["?", "This list"],
  ["Esc", "Close what is open"],
  ["← → ↑ ↓", "Walk through a chart or a table"],
  ["Enter", "See who is behind the point that was reached"],
  ["Backspace", "Remove the chip that has the focus"],
] as const;

export function Keys({ open, onClose }: { open: boolean; onClose: () => void }) {
  const rows = [...GENERAL, ...DESTINATIONS.map((each) => [`g ${each.key}`, `Go to ${each.label}`] as const)];
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard shortcuts">
      <dl className="divide-y divide-line">
        {rows.map(([keys, meaning]) => (
          <div key={keys} className="flex items-center justify-between py-1.5">
            <dt className="text-soft">{meaning}</dt>
            <dd className="flex gap-1">
              {keys.split(" ").map((key) => (
                <kbd key={key} className="min-w-6 rounded-[4px] border border-line bg-sunken px-1.5 text-center font-sans text-12">
                  {key}
                </kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
