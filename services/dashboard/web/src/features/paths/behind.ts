import { readNode } from "~/features/paths/flow";
import type { Behind } from "~/features/people/behind";

/** Who went from one node to the next. */
export function behindLink(source: string, target: string): Behind {
  const { step, name } = readNode(source);
  return { title: `${name} → ${readNode(target).name}, from step ${step}`, point: { source, target } };
}

/** Who came through a node. */
export function behindNode(node: string): Behind {
  const { step, name } = readNode(node);
  return { title: `${name} at step ${step}`, point: { node } };
}
