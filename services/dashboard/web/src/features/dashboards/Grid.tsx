import { useRef, useState, type CSSProperties, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { COLUMNS, place, type Place, type Placed } from "~/features/dashboards/grid";
import { counted } from "~/format/numbers";
import { cx } from "~/ui/cx";
import { useWidth } from "~/ui/useWidth";

const ROW = 84;
const GAP = 12;

interface GridProps {
  widgets: readonly Placed[];
  isEditable: boolean;
  onChange: (widgets: Placed[]) => void;
  nameOf: (id: number) => string;
  /** Whether a widget is as high as what is in it, where one is below another. */
  isFlat: (id: number) => boolean;
  render: (id: number) => ReactNode;
}

interface Drag {
  id: number;
  kind: "move" | "resize";
  from: Place;
  startX: number;
  startY: number;
}

/** Widgets that are dragged and resized with a pointer or with arrow keys; one below another where it is narrow. */
export function Grid({ widgets, isEditable, onChange, nameOf, isFlat, render }: GridProps) {
  const holder = useRef<HTMLDivElement>(null);
  const width = useWidth(holder);
  const [drag, setDrag] = useState<Drag | null>(null);
  const [said, setSaid] = useState("");
  const [draft, setDraft] = useState<readonly Placed[] | null>(null);

  const isNarrow = width > 0 && width < 720;
  const column = (width + GAP) / COLUMNS;
  const shown = draft ?? widgets;
  const rows = Math.max(0, ...shown.map(({ layout }) => layout.y + layout.h));

  const target = (now: Drag, event: PointerEvent): Place => {
    const dx = Math.round((event.clientX - now.startX) / column);
    const dy = Math.round((event.clientY - now.startY) / (ROW + GAP));
    return now.kind === "move" ? { ...now.from, x: now.from.x + dx, y: now.from.y + dy } : { ...now.from, w: now.from.w + dx, h: now.from.h + dy };
  };
  const begin = (id: number, kind: Drag["kind"]) => (event: PointerEvent<HTMLElement>) => {
    const found = widgets.find((each) => each.id === id);
    if (!found || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    setDrag({ id, kind, from: found.layout, startX: event.clientX, startY: event.clientY });
  };
  const move = (event: PointerEvent<HTMLElement>) => {
    if (drag !== null) setDraft(place(widgets, drag.id, target(drag, event)));
  };
  const end = () => {
    if (draft !== null) onChange([...draft]);
    setDraft(null);
    setDrag(null);
  };
  const onKey = (id: number, kind: Drag["kind"]) => (event: KeyboardEvent) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const found = widgets.find((each) => each.id === id)?.layout;
    if (by === undefined || found === undefined) return;
    event.preventDefault();
    const [dx = 0, dy = 0] = by;
    const placed = place(widgets, id, kind === "move" ? { ...found, x: found.x + dx, y: found.y + dy } : { ...found, w: found.w + dx, h: found.h + dy });
    const now = placed.find((each) => each.id === id)?.layout;
    if (now) setSaid(kind === "move" ? `Column ${now.x + 1}, row ${now.y + 1}` : `${now.w} columns wide, ${counted(now.h, "row")} high`);
    onChange(placed);
  };
  const handlers = (id: number, kind: Drag["kind"]) => ({
    onPointerDown: begin(id, kind),
    onPointerMove: move,
    onPointerUp: end,
    onPointerCancel: end,
    onKeyDown: onKey(id, kind),
  });
  const spot = (id: number, { x, y, w, h }: Place): CSSProperties =>
    isNarrow
      ? { height: isFlat(id) ? "auto" : h * (ROW + GAP) - GAP }
      : { position: "absolute", left: x * column, top: y * (ROW + GAP), width: w * column - GAP, height: h * (ROW + GAP) - GAP };

  const inOrder = isNarrow ? [...shown].sort((one, other) => one.layout.y - other.layout.y || one.layout.x - other.layout.x) : shown;
  return (
    <div ref={holder} className={cx("relative", isNarrow && "flex flex-col gap-3")} style={isNarrow ? {} : { height: rows * (ROW + GAP) }}>
      <p role="status" className="sr-only">
        {said}
      </p>
      {inOrder.map(({ id, layout }) => (
        <div
          key={id}
          style={spot(id, layout)}
          className={cx("group", drag?.id === id ? "z-10 opacity-90" : !isNarrow && "transition-[left,top,width,height] duration-150")}
        >
          {render(id)}
          {isEditable && !isNarrow ? (
            <>
              <button
                type="button"
                aria-label={`Move ${nameOf(id)}. Use arrow keys`}
                className="absolute top-1.5 left-1/2 h-4 w-12 -translate-x-1/2 cursor-grab! touch-none rounded-full opacity-0 transition-opacity group-hover:opacity-100 focus-visible:opacity-100"
                {...handlers(id, "move")}
              >
                <span aria-hidden className="mx-auto block h-1 w-8 rounded-full bg-line-strong" />
              </button>
              <button
                type="button"
                aria-label={`Resize ${nameOf(id)}. Use arrow keys`}
                className="absolute right-0.5 bottom-0.5 size-5 cursor-nwse-resize! touch-none opacity-0 transition-opacity group-hover:opacity-100 focus-visible:opacity-100"
                {...handlers(id, "resize")}
              >
                <span aria-hidden className="absolute right-1 bottom-1 size-2.5 rounded-br-[4px] border-r-2 border-b-2 border-line-strong" />
              </button>
            </>
          ) : null}
        </div>
      ))}
    </div>
  );
}

/** The height that a widget's content has, below its name. */
export function contentHeight(layout: Place): number {
  return layout.h * (ROW + GAP) - GAP - 64;
}
