import type { KeyboardEvent, RefObject } from "react";
import { walk, type Spot } from "~/charts/cells";
import { useOneStop } from "~/ui/useStops";

type Cell = HTMLTableCellElement;

/**
 * Makes a table's cells one stop of the Tab key, and lets the other keys walk among them. The button of a cell that has
 * one stands for it; all of them have `tabIndex={-1}`. `reveal` brings a column that is not there.
 */
export function useCells(table: RefObject<HTMLTableElement | null>, count: number, reveal?: (column: number) => void) {
  return {
    onFocus: useOneStop(table, (within) => within.querySelector<HTMLElement>("button, td")),
    onKeyDown: (event: KeyboardEvent<HTMLTableElement>) => {
      const [at, last] = [spotOf(event.target), { row: event.currentTarget.rows.length - 1, column: count - 1 }];
      const to = at && walk(event.key, event.ctrlKey || event.metaKey, at, last);
      if (!to || event.altKey || event.shiftKey) return;
      event.preventDefault();
      if (cellAt(event.currentTarget, to) === undefined) reveal?.(to.column);
      focusCell(event.currentTarget, to);
    },
  };
}

/** Where a cell is, or the cell around an element. */
export function spotOf(element: EventTarget | null): Spot | null {
  const cell = element instanceof Element ? element.closest<Cell>("td, th") : null;
  const row = cell?.closest("tr");
  return cell && row ? { row: row.rowIndex, column: columnOf(cell) } : null;
}

export function focusCell(table: HTMLTableElement, spot: Spot, options?: FocusOptions) {
  const cell = cellAt(table, spot);
  const target = cell?.querySelector("button") ?? cell;
  if (!target) return;
  // Not below the first column, which stays in sight.
  if (table.parentElement) table.parentElement.style.scrollPaddingInlineStart = `${cellAt(table, { ...spot, column: 0 })?.offsetWidth ?? 0}px`;
  target.tabIndex = -1;
  target.focus(options);
}

function cellAt(table: HTMLTableElement, { row, column }: Spot): Cell | undefined {
  return [...(table.rows[row]?.cells ?? [])].find((cell) => cell.ariaHidden !== "true" && columnOf(cell) === column);
}

function columnOf(cell: Cell): number {
  return Number(cell.ariaColIndex ?? cell.cellIndex + 1) - 1;
}
