import { useLayoutEffect, useState, type RefObject } from "react";
import { flushSync } from "react-dom";
import { columnsInSight, STEP, type Span } from "~/charts/cells";
import { focusCell, spotOf } from "~/charts/useCells";

/**
 * Which of `count` columns of one width, behind `leading` others, are there: all, or where there are too many those in
 * sight.
 */
export function useSpan(table: RefObject<HTMLTableElement | null>, leading: number, count: number, isTooMany: boolean) {
  const [{ from, to }, setSpan] = useState<Span>({ from: 0, to: 3 * STEP });

  useLayoutEffect(() => {
    const scroller = table.current?.parentElement;
    if (!isTooMany || !scroller) return;
    const look = () => {
      if (!table.current) return;
      const seen = findSeen(table.current, scroller, leading, count);
      keepFocus(table.current, leading, seen);
      setSpan((old) => (old.from === seen.from && old.to === seen.to ? old : seen));
    };
    const observer = new ResizeObserver(look);
    observer.observe(scroller);
    scroller.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      scroller.removeEventListener("scroll", look);
    };
  }, [table, leading, count, isTooMany]);

  const reveal = (column: number) => {
    const scroller = table.current?.parentElement;
    if (!table.current || !scroller) return;
    scroller.scrollTo({ left: (column - leading) * measure(table.current, leading, count).width - scroller.clientWidth / 2, behavior: "instant" });
    const seen = findSeen(table.current, scroller, leading, count);
    flushSync(() => setSpan(seen));
  };
  return isTooMany ? { from: Math.min(from, count), to: Math.min(to, count), reveal } : { from: 0, to: count };
}

/** How wide the leading columns are together, and each of the others. */
function measure(table: HTMLTableElement, leading: number, count: number) {
  const begin = [...(table.rows[0]?.cells ?? [])].slice(0, leading).reduce((sum, { offsetWidth }) => sum + offsetWidth, 0);
  return { begin, width: (table.offsetWidth - begin) / count };
}

function findSeen(table: HTMLTableElement, scroller: HTMLElement, leading: number, count: number): Span {
  const { begin, width } = measure(table, leading, count);
  return columnsInSight(scroller.scrollLeft - begin, scroller.clientWidth, width, count);
}

/** Whoever is in a cell that goes stays in its row. */
function keepFocus(table: HTMLTableElement, leading: number, { from, to }: Span) {
  const at = table.contains(document.activeElement) ? spotOf(document.activeElement) : null;
  if (at === null || at.column < leading || (at.column >= leading + from && at.column < leading + to)) return;
  focusCell(table, { ...at, column: 0 }, { preventScroll: true });
}
