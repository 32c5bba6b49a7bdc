/** Folding streams anew, from their first events, to see whether their snapshots say the same. */
import { changesBetween } from '../event/differences.ts';
import type { FieldChange } from '../event/differences.ts';
import type { Catalog, Entry } from './catalog.ts';
import { evidenceOf } from './code.ts';
import type { Sampled } from './code.ts';
import type { Distrust } from './notice.ts';
import type { Capture, Refold, Snapshot, StreamFold } from './snapshot.ts';

/** A snapshot that is not to be believed. */
export interface Fault {
  readonly version: number;
  readonly reason: Distrust;
  /** Where it is another state than the events lead to: the first field that differs. */
  readonly change?: FieldChange;
}

export function isMismatch({ reason }: Fault): boolean {
  return reason === 'mismatch';
}

export interface Verified {
  /** Of the snapshots that were looked at. */
  readonly versions: readonly number[];
  readonly faults: readonly Fault[];
  /** Where events lead to another state: by what this code is told from the one that wrote the snapshots. */
  readonly evidence: readonly Sampled[];
}

/** Those of these snapshots of a stream that are not what they ought to be. */
export async function verifyStream(
  aggregate: StreamFold,
  stream: string,
  entries: readonly Entry[],
  {
    catalog,
    refold,
    signal,
  }: { readonly catalog: Catalog; readonly refold: Refold; readonly signal?: AbortSignal | undefined },
): Promise<Verified> {
  const ascending = entries.toSorted((a, b) => a.version - b.version);
  const { captures } = await refold(
    aggregate,
    stream,
    ascending.map(({ version }) => version),
    signal,
  );
  const versions: number[] = [];
  const faults: Fault[] = [];
  for (const entry of ascending) {
    signal?.throwIfAborted();
    const kept = await catalog.read(stream, entry);
    if (kept === 'replaced') continue;
    versions.push(entry.version);
    const fault = faultOf(entry, kept, captures.get(entry.version));
    if (fault !== undefined) faults.push(fault);
  }
  const mistaken = faults.filter(isMismatch).flatMap(({ version }) => captures.get(version) ?? []);
  return { versions, faults, evidence: evidenceOf(stream, mistaken) };
}

function faultOf(
  { version, id }: Entry,
  kept: Snapshot | 'damaged' | 'missing',
  refolded: Capture | undefined,
): Fault | undefined {
  if (typeof kept === 'string') return { version, reason: kept };
  if (refolded === undefined) return { version, reason: 'future' };
  if (refolded.id !== id || refolded.position !== kept.position) return { version, reason: 'foreign' };
  const [change] = changesBetween(kept.state, refolded.state);
  return change === undefined ? undefined : { version, reason: 'mismatch', change };
}
