/** Reading what an instance has come to, and adding a step. */
import { sagaStepType } from '../event/event.ts';
import type { Draft, EventMetadata, Recorded } from '../event/event.ts';
import { fromUtf8, toHex } from '../event/bytes.ts';
import { RecordedDraft } from '../event/recorded-draft.ts';
import { EngineError } from '../ground/errors.ts';
import type { EventLog } from '../store/log.ts';
import { untilMoment } from '../store/moment.ts';
import type { Moment } from '../store/moment.ts';
import type { StreamWrite } from '../store/port.ts';
import { advance, passOver } from './progress.ts';
import type { OnBegun, PlacedStep, Progress } from './progress.ts';
import type { AnySaga } from './saga.ts';
import type { Step } from './step.ts';

/** How far an instance has come, and with which event. */
export interface Standing {
  readonly progress: Progress;
  /** The event of its last step. */
  readonly last: Pick<Recorded, 'id'>;
}

export function streamOf(saga: Pick<AnySaga, 'name'>, id: string): string {
  return `${saga.name}-${id}`;
}

/**
 * @param since goes on from there.
 * @returns undefined for one that was never started.
 * @throws {EngineError} `saga_refused` where its stream begins with something else.
 */
export async function readInstance(
  log: EventLog,
  saga: AnySaga,
  id: string,
  options: {
    readonly since?: Standing | undefined;
    readonly at?: Moment | undefined;
    readonly onBegun?: OnBegun | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<Standing | undefined> {
  const { since, at, onBegun, signal } = options;
  let found = since;
  const query = {
    stream: streamOf(saga, id),
    afterVersion: since?.progress.streamVersion ?? 0,
    ...(at !== undefined && untilMoment(at)),
  };
  for await (const page of log.recorded(query, signal)) {
    for (const event of page) {
      if (event.type === sagaStepType)
        found = { progress: advance(saga, found?.progress, placedStep(event, id), onBegun), last: event };
      else if (found !== undefined) found = { ...found, progress: passOver(found.progress, event) };
      else throw foreign(saga, id, event);
    }
  }
  return found;
}

function foreign(saga: AnySaga, id: string, { type }: Recorded): EngineError {
  const reason = `its stream begins with ${type}, which is no step of a saga, so no instance can have this id`;
  return new EngineError('saga_refused', { saga: saga.name, id, reason });
}

function placedStep(event: Recorded, id: string): PlacedStep {
  const { version, metadata } = event;
  const step = JSON.parse(fromUtf8(event.data)) as Step;
  const given = metadata.length === 0 ? {} : (JSON.parse(fromUtf8(metadata)) as EventMetadata);
  return { step, id, version, correlationId: given.correlationId ?? toHex(event.id) };
}

/** @throws {EngineError} `saga_refused`: nothing can be added behind a tombstone. */
export function refuseDeleted(standing: Standing | undefined): void {
  if (standing?.progress.status !== 'deleted') return;
  const { saga, id } = standing.progress;
  throw new EngineError('saga_refused', { saga, id, reason: 'its stream was deleted' });
}

export type Added =
  | { readonly kind: 'added'; readonly event: RecordedDraft }
  /** Somebody else was faster. */
  | { readonly kind: 'overtaken' };

/** Adds a step, if the stream still is at this version. @param also what is written together with it. */
export async function addStep(
  log: EventLog,
  stream: string,
  expected: number,
  draft: Draft,
  also: readonly StreamWrite[] = [],
): Promise<Added> {
  const result = await log.commit({
    writes: [{ stream, expected, events: [draft] }, ...also],
    checks: [],
    conditions: [],
    receipts: [],
  });
  if (result.kind !== 'appended') return { kind: 'overtaken' };
  const { position, versions, recordedAt } = result;
  const place = { stream, version: versions[0] as number, position, recordedAt };
  return { kind: 'added', event: new RecordedDraft(draft, place) };
}
