/** A saga's command: its events and the saga's step are one append, where the backend can do that. */
import type { CommandReceipt } from '../command/command.ts';
import type { Outcome } from '../command/outcome.ts';
import { toHex, toUtf8 } from '../event/bytes.ts';
import type { Draft, EventMetadata } from '../event/event.ts';
import type { RecordedDraft } from '../event/recorded-draft.ts';
import { sha256 } from '../ground/digest.ts';
import type { ErrorCode } from '../ground/errors.ts';
import { idempotencyKeyOf } from './agenda.ts';
import type { DueCommand } from './agenda.ts';
import type { Progress } from './progress.ts';
import type { SagaRuntime } from './runtime.ts';

/** What a command brings about, rather than the store. */
export const commandFaults: readonly ErrorCode[] = [
  'command_timeout',
  'command_unknown',
  'data_unfaithful',
  'decide_failed',
  'event_invalid',
  'event_type_unknown',
  'event_unhandled',
  'evolve_failed',
  'idempotency_key_reused',
  'limit_exceeded',
  'name_invalid',
  'option_invalid',
  'request_invalid',
];

export interface ExecuteParts {
  readonly runtime: SagaRuntime;
  /** Of the instance. */
  readonly stream: string;
  readonly progress: Progress;
  readonly metadata: EventMetadata;
  readonly signal: AbortSignal;
}

/** @param step what is recorded of an outcome; asked for again where the command is decided again. @param recorded called when it is. */
export async function executeTogether(
  { runtime, stream, progress, metadata, signal }: ExecuteParts,
  due: DueCommand,
  step: (outcome: Outcome) => Draft,
  recorded: (event: RecordedDraft) => void,
): Promise<CommandReceipt> {
  const companion = { stream, expected: progress.streamVersion, draft: step, recorded };
  return runtime.executor.execute([due.command], { metadata, signal }, { companion });
}

/** Where a backend appends to one stream at a time: the receipt says whether it was done, for as long as the instance lives. */
export async function executeApart(
  { runtime, stream, progress, metadata, signal }: ExecuteParts,
  due: DueCommand,
): Promise<{ readonly receipt: CommandReceipt; readonly outcome: Outcome | undefined }> {
  const { generation = 1, failures = 0 } = progress.effects.get(due.key) ?? {};
  // A rejection is kept as well: another attempt is another command.
  const idempotencyKey = digestOf(`${idempotencyKeyOf(stream, due.key, generation)}#${failures}`);
  const options = { metadata, signal, idempotencyKey };
  const receipt = await runtime.executor.execute([due.command], options, { owner: digestOf(stream) });
  if (receipt.kind === 'rejected') return { receipt, outcome: { ...receipt, index: 0 } };
  if (receipt.kind !== 'accepted') return { receipt, outcome: undefined };
  const { events, version } = receipt;
  return { receipt, outcome: { kind: 'accepted', eventCount: events.length, eventsBehind: 0, version } };
}

const releasedMax = 1_000;

/** Once the instance has ended. */
export async function releaseReceipts({ log }: SagaRuntime, stream: string): Promise<void> {
  if (log.capabilities.multiStream) return;
  while ((await log.releaseReceipts({ owner: digestOf(stream) }, releasedMax)) === releasedMax);
}

function digestOf(text: string): string {
  return toHex(sha256(toUtf8(text)));
}
