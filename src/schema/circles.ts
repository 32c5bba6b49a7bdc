/** Schemas that say of a value only that it is under themselves: what they take is not defined, and a validator would not come to an end. */
import type { Node } from './node.ts';

/** Whether there is one among all that can be reached. */
export function hasCircle(root: Node): boolean {
  const seen = new Set<Node>();
  const rest = [root];
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    rest.push(...ofSameValue(node), ...ofParts(node));
  }
  return [...seen].some(isOnCircle);
}

/** Whether it can be reached from itself without going to a part of the value. */
function isOnCircle(start: Node): boolean {
  if (start.target === undefined) return false;
  const seen = new Set<Node>();
  const rest = [...ofSameValue(start)];
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    if (node === start) return true;
    if (seen.has(node)) continue;
    seen.add(node);
    rest.push(...ofSameValue(node));
  }
  return false;
}

function ofSameValue(node: Node): readonly Node[] {
  const { target, allOf = [], anyOf = [], oneOf = [], dependentSchemas } = node;
  const single = [target, node.not, node.if, node.then, node.else].flatMap((one) => one ?? []);
  return [...single, ...allOf, ...anyOf, ...oneOf, ...(dependentSchemas?.values() ?? [])];
}

function ofParts(node: Node): readonly Node[] {
  const { properties, patternProperties, prefixItems = [] } = node;
  const single = [node.items, node.contains, node.additionalProperties, node.propertyNames].flatMap((one) => one ?? []);
  return [...single, ...prefixItems, ...(properties?.values() ?? []), ...(patternProperties?.values() ?? [])];
}
