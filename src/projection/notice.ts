/** What is told of consumers while they work. */
import type { Position } from '../store/port.ts';

/** Why an event could not be dealt with. */
export interface Failure {
  readonly position: Position;
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly reason: string;
  /** Whether the code that failed does not know such an event: code that does goes on by itself. */
  readonly isUnknown?: boolean;
  readonly attempts: number;
  /** When the last attempt failed, in ms since the epoch. */
  readonly at: number;
}

export type ConsumerNotice = { readonly consumer: string; readonly version: number } & (
  | { readonly kind: 'caught_up'; readonly generation: number; readonly position: Position }
  /** As of now and then: for metrics. `events`: of interest, at most 1,000 are counted. */
  | {
      readonly kind: 'lag';
      readonly generation: number;
      readonly position: Position;
      readonly events: number;
      readonly ms: number;
    }
  | { readonly kind: 'sla_broken' | 'sla_kept'; readonly maxLagMs: number; readonly lagMs: number }
  /** It has not moved for so long while events wait, whoever works on it. */
  | { readonly kind: 'stalled'; readonly position: Position; readonly forMs: number }
  | { readonly kind: 'faulted'; readonly slot: number; readonly failure: Failure }
  | { readonly kind: 'parked'; readonly slot: number; readonly key: string; readonly failure: Failure }
  /** Its worker failed at something that is no event's fault, and begins again. */
  | { readonly kind: 'restarted'; readonly slot: number; readonly error: unknown }
  /** The schemas of its events have changed, and the probe has found that its documents have not. */
  | { readonly kind: 'schemas_changed'; readonly types: readonly string[] }
  /** A query looked at documents that no index led to. */
  | { readonly kind: 'scanned'; readonly paths: readonly string[] }
);

export type NoticeTaker = (notice: ConsumerNotice) => void;

/** What a person is to be told where nobody listens; undefined for what is no trouble. */
export function warningOf(notice: ConsumerNotice): string | undefined {
  const who = `${notice.consumer} (version ${notice.version})`;
  switch (notice.kind) {
    case 'sla_broken':
      return `${who} is ${notice.lagMs} ms behind; it promises ${notice.maxLagMs} ms.`;
    case 'stalled':
      return `${who} has stood at position ${notice.position} for ${notice.forMs} ms while events wait.`;
    case 'faulted':
      return `${who} stands still at ${eventOf(notice.failure)}: ${notice.failure.reason}. Correct it, then retry or skip that event.`;
    case 'parked':
      return `${who} has put aside ${eventOf(notice.failure)}: ${notice.failure.reason}.`;
    case 'restarted':
      return `${who} begins again: ${notice.error instanceof Error ? notice.error.message : String(notice.error)}`;
    case 'schemas_changed':
      return `${who}: the schemas of ${notice.types.join(', ')} have changed; its documents have not.`;
    default:
      return undefined;
  }
}

function eventOf({ type, stream, version, position }: Failure): string {
  return `${type} (version ${version} of ${stream}, position ${position})`;
}
