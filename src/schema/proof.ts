/** What the rules of comparing, one for each group of keywords, have in common. */
import type { Node } from './node.ts';

/** Where, in dotted path notation from `data`: `data.customer.name`, `data.lines[]`; and why, in a sentence. */
export interface Incompatibility {
  readonly path: string;
  readonly reason: string;
}

/** Why not; empty where everything that is written is taken. Paths lead on from the value that is compared. */
export type Problems = readonly Incompatibility[];

/** One comparison. What is written is always some schemas that hold together, and it may be taken to be more than it is, never less. */
export interface Proof {
  /** To be called for whatever takes time. @throws where there are too many. */
  readonly step: () => void;
  /** A schema that no document has; one for each `key`. */
  made(key: string, restricting: Partial<Node>): Node;
  /** Whether objects have no properties but those that their schemas name, where these do not say so. */
  readonly isOnlyDeclared: boolean;
  /** Whether no value can be under all of the schemas. False where it cannot be told. */
  isEmpty(written: readonly Node[]): boolean;
  /** Whether the reader takes what is under all of the schemas. */
  check(written: readonly Node[], reader: Node): Problems;
  /** The same for a part of the value, at `step` of it. */
  checkPart(step: string, written: readonly Node[], reader: Node): Problems;
}

export function problem(reason: string, path = ''): Problems {
  return [{ path, reason }];
}

export function untold(reason: string, path = ''): Problems {
  return problem(`cannot be told: ${reason}`, path);
}
