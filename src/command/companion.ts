import type { Draft } from '../event/event.ts';
import type { RecordedDraft } from '../event/recorded-draft.ts';
import type { Outcome } from './outcome.ts';

/** An event of another stream that goes with a command, whether it is accepted or rejected: in the same append. */
export interface Companion {
  readonly stream: string;
  /** The version that the stream must have: if it has another one, the answer is a `conflict` of this stream, and nothing is done. */
  readonly expected: number;
  /** Pure: it is asked again where the command is decided again. */
  draft(outcome: Outcome): Draft;
  /** Called when it is appended, before the command has its receipt. */
  recorded(event: RecordedDraft): void;
}
