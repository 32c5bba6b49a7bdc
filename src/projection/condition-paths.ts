import type { Condition, Order } from '../store/state-port.ts';

/** The paths that a query asks of, each once, in order: those for which an index would have to be declared. */
export function pathsOf(where: Condition, orderBy: readonly Order[]): readonly string[] {
  return [...new Set([...conditionPaths(where), ...orderBy.map(({ path }) => path)])].sort();
}

function conditionPaths(condition: Condition): readonly string[] {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return condition.of.flatMap(conditionPaths);
    case 'not':
      return conditionPaths(condition.of);
    default:
      return [condition.path];
  }
}
