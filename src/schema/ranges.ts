/** Between which numbers a value lies. */
import type { Case } from './case.ts';
import type { Node } from './node.ts';

/** One end of a range. */
interface End {
  readonly at: number;
  /** Whether the number itself is outside. */
  readonly isOpen: boolean;
}

type Ends = Pick<Node, 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum'>;

/** Where the numbers of a schema begin; -Infinity if nowhere. */
function lowEnd({ minimum, exclusiveMinimum }: Ends): End {
  const closed: End = { at: minimum ?? -Infinity, isOpen: false };
  const open: End = { at: exclusiveMinimum ?? -Infinity, isOpen: exclusiveMinimum !== undefined };
  return isAsStrict(open, closed) ? open : closed;
}

/** Where they end, with its sign changed: what holds for beginnings holds for it. */
function highEnd({ maximum, exclusiveMaximum }: Ends): End {
  return lowEnd(negative({ maximum, exclusiveMaximum } as Ends));
}

function negative({ maximum, exclusiveMaximum }: Ends): Ends {
  return {
    ...(maximum === undefined ? {} : { minimum: -maximum }),
    ...(exclusiveMaximum === undefined ? {} : { exclusiveMinimum: -exclusiveMaximum }),
  };
}

/** Whether every number behind one beginning is behind another one. */
function isAsStrict(one: End, other: End): boolean {
  return one.at > other.at || (one.at === other.at && (one.isOpen || !other.isOpen));
}

function strictest(ends: readonly End[], isInteger: boolean): End {
  const end = ends.reduce((strict, next) => (isAsStrict(next, strict) ? next : strict), {
    at: -Infinity,
    isOpen: false,
  });
  if (!isInteger || !Number.isFinite(end.at)) return end;
  // Where numbers are too large for the next one, it stays what it is: less strict than it might be.
  return { at: end.isOpen ? Math.floor(end.at) + 1 : Math.ceil(end.at), isOpen: false };
}

/** Whether there is no number. */
export function isRangeEmpty({ nodes, isInteger }: Case): boolean {
  const low = strictest(nodes.map(lowEnd), isInteger);
  const high = strictest(nodes.map(highEnd), isInteger);
  return low.at > -high.at || (low.at === -high.at && (low.isOpen || high.isOpen));
}

/** In which way numbers of what is written lie outside of what is read; the words say where each begins or ends. */
export function outside({ nodes, isInteger }: Case, reader: Node): readonly { written: string; read: string }[] {
  const found: { written: string; read: string }[] = [];
  const low = strictest(nodes.map(lowEnd), isInteger);
  const high = strictest(nodes.map(highEnd), isInteger);
  const readLow = lowEnd(reader);
  const readHigh = highEnd(reader);
  if (!isAsStrict(low, readLow)) found.push({ written: lowText(low), read: lowText(readLow) });
  if (!isAsStrict(high, readHigh)) found.push({ written: highText(high), read: highText(readHigh) });
  return found;
}

function lowText({ at, isOpen }: End): string {
  if (at === -Infinity) return 'any number';
  return isOpen ? `a number above ${at}` : `a number from ${at}`;
}

function highText({ at, isOpen }: End): string {
  if (at === -Infinity) return 'any number';
  return isOpen ? `a number below ${-at}` : `a number up to ${-at}`;
}
