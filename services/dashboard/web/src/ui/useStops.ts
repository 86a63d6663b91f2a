import { useLayoutEffect, useRef, type FocusEvent, type KeyboardEvent, type RefObject } from "react";

type Stop = HTMLElement | SVGElement;

/**
 * Makes everything with `tabIndex={-1}` in an element one stop of the Tab key: what had the focus last, and `findFirst`
 * before. Returns what hears of the focus.
 */
export function useOneStop(holder: RefObject<Element | null>, findFirst: (within: Element) => Stop | null | undefined) {
  const stop = useRef<Stop>(null);
  useLayoutEffect(() => {
    if (stop.current?.isConnected || holder.current === null) return;
    stop.current = findFirst(holder.current) ?? null;
    if (stop.current) stop.current.tabIndex = 0;
  });
  return (event: FocusEvent) => {
    const target = event.target as Stop;
    if (target !== stop.current) {
      if (target.tabIndex !== -1) return; // it is a stop of its own
      if (stop.current) stop.current.tabIndex = -1;
    }
    target.tabIndex = 0;
    stop.current = target;
  };
}

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };

/** One stop for everything with `data-stop`, among which the arrow keys walk in the order of its numbers. */
export function useStops(holder: RefObject<Element | null>) {
  return {
    onFocus: useOneStop(holder, (within) => inOrder(within)[0]),
    onKeyDown: (event: KeyboardEvent) => {
      const stops = inOrder(event.currentTarget);
      const [at, by] = [stops.indexOf(event.target as Stop), STEPS[event.key]];
      if (at < 0 || by === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      stops[Math.min(stops.length - 1, Math.max(0, at + by))]?.focus();
    },
  };
}

function inOrder(within: Element): Stop[] {
  return [...within.querySelectorAll<Stop>("[data-stop]")].sort((one, other) => Number(one.dataset.stop) - Number(other.dataset.stop));
}
