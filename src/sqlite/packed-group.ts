/** A group of requests on its way to the writer thread. */
import type { JudgedRequest } from '../store/admission.ts';
import type { AppendRequest } from '../store/port.ts';
import { packEvents, Unpacking } from './packed-events.ts';
import type { PackedEvent, PackedEvents } from './packed-events.ts';

/** A request whose events are packed beside the group: each write says how many of them are its own. */
interface PackedRequest extends Omit<JudgedRequest, 'writes'> {
  readonly writes: readonly {
    readonly stream: string;
    readonly expected: JudgedRequest['writes'][number]['expected'];
    readonly count: number;
  }[];
}

export interface PackedGroup {
  readonly requests: readonly PackedRequest[];
  readonly events: PackedEvents;
  /** The caller's clock, in ms since the epoch. */
  readonly now: number;
}

export function packGroup(group: readonly AppendRequest[], now: number): PackedGroup {
  const events = packEvents(group.flatMap(({ writes }) => writes.flatMap((write) => write.events)));
  const requests = group.map(({ writes, checks, conditions, receipts }) => ({
    writes: writes.map((write) => ({ stream: write.stream, expected: write.expected, count: write.events.length })),
    checks,
    conditions,
    receipts,
  }));
  return { requests, events, now };
}

export function unpackGroup({ requests, events }: PackedGroup): readonly JudgedRequest<PackedEvent>[] {
  const unpacking = new Unpacking(events);
  return requests.map((request) => ({
    ...request,
    writes: request.writes.map(({ stream, expected, count }) => ({ stream, expected, events: unpacking.take(count) })),
  }));
}
