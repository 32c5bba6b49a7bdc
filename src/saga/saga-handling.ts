/** What the worker of a slot does with events: delivers them to the instances that they concern, and keeps the view of instances. */
import type { RecordedEvent } from '../event/codec.ts';
import { deletedType, sagaStepType } from '../event/event.ts';
import { delay } from '../ground/clock.ts';
import { hasCode } from '../ground/errors.ts';
import { RecentCache } from '../ground/recent-cache.ts';
import { TaskFailed } from '../projection/fold.ts';
import type { Task } from '../projection/fold.ts';
import type { Handling, Taken } from '../projection/handling.ts';
import type { SlotPlace } from '../projection/hosted.ts';
import type { Condition, DocumentPut, StateCommit } from '../store/state-port.ts';
import { countOf, countsCollection } from './counts.ts';
import type { Counts } from './counts.ts';
import { DueTimers } from './due-timers.ts';
import type { DueTimersOptions } from './due-timers.ts';
import { foldInstance, instanceValue } from './instance-document.ts';
import type { InstanceDocument } from './instance-document.ts';
import type { Happened, Wish } from './instance-worker.ts';
import { hasEnded, isBefore } from './progress.ts';
import type { Progress } from './progress.ts';
import type { SagaRuntime } from './runtime.ts';
import type { AnySaga } from './saga.ts';
import { SlotDriver } from './slot-driver.ts';
import { endOf } from './step.ts';
import type { Step, Trigger } from './step.ts';

const pageSize = 500;
/** Documents kept in memory, at least. */
const cachedMax = 2_000;
const restartMs = 1_000;

export interface HandlingParts extends SlotPlace {
  readonly runtime: SagaRuntime;
  readonly saga: AnySaga;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class SagaHandling implements Handling {
  readonly #parts: HandlingParts;
  /** Fires when nothing more may be done. */
  readonly #signal: AbortSignal;
  readonly #driver: SlotDriver;
  readonly #timers: DueTimers;
  #counts: Counts | undefined;
  /** Nobody else changes them while the slot is held. */
  readonly #documents = new RecentCache<string, InstanceDocument | null>(cachedMax);
  /** Whether what is due is done: not before the view has caught up. */
  #isLive = false;
  readonly #background: Promise<void>[] = [];

  constructor(parts: HandlingParts) {
    this.#parts = parts;
    const { runtime, saga, slot, signal: held, wait } = parts;
    const signal = AbortSignal.any([held, runtime.closing]);
    this.#signal = signal;
    this.#driver = new SlotDriver(runtime, saga, slot, signal);
    this.#timers = new DueTimers({
      find: (query) => this.#due(query),
      hand: async (id, version) => {
        this.#driver.drive(id, version);
        await this.#driver.room();
      },
      now: runtime.now,
      wait,
    });
  }

  async take(tasks: readonly Task[]): Promise<Taken> {
    const { state, build, slot } = this.#parts;
    const counts = (this.#counts ??= await countOf(state, build.slot(slot)));
    const documents = new Documents(this.#parts, await this.#load(tasks), counts);
    const deliveries = new Map<string, Promise<void>>();
    const heard = new Map<string, number>();
    const begun = new Set<string>();
    for (const task of tasks) {
      if (task.keyless !== undefined) throw new TaskFailed(task, task.keyless.error);
      for (const id of task.keys) {
        if (this.#isOwnStep(task.event, id) || task.event.type === deletedType) {
          documents.fold(id, task.event);
          heard.set(id, task.event.version);
          continue;
        }
        // Whatever else is in the batch, it is only for an instance that was there before it.
        if (this.#parts.saga.startsOn.has(task.event.type)) begun.add(id);
        else if (!documents.isBehind(id, task.event) && !begun.has(id)) continue;
        // One instance takes in one thing after another.
        const before = deliveries.get(id) ?? Promise.resolve();
        deliveries.set(
          id,
          before.then(() => this.#deliver(id, task, documents)),
        );
      }
    }
    await Promise.all(deliveries.values());
    return { change: documents.change(), committed: () => this.#committed(documents, heard) };
  }

  #committed(documents: Documents, heard: ReadonlyMap<string, number>): void {
    this.#counts = documents.counts;
    for (const [id, document] of documents.after) this.#documents.set(id, document);
    if (!this.#isLive) return;
    for (const [id, version] of heard) this.#driver.heard(id, version);
    this.#timers.changed(documents.changed());
  }

  #isOwnStep({ type, aggregate, aggregateId }: RecordedEvent, id: string): boolean {
    return type === sagaStepType && aggregate === this.#parts.saga.name && aggregateId === id;
  }

  async #load(tasks: readonly Task[]): Promise<ReadonlyMap<string, InstanceDocument | null>> {
    const { state, build } = this.#parts;
    const documents = new Map<string, InstanceDocument | null>();
    const missing: string[] = [];
    for (const { keys, event } of tasks) {
      for (const id of keys) {
        if (documents.has(id)) continue;
        const known = this.#isFirst(event, id) ? null : this.#documents.get(id);
        documents.set(id, known ?? null);
        if (known === undefined) missing.push(id);
      }
    }
    const found = missing.length === 0 ? [] : await state.get(build.collection, missing);
    for (const [index, id] of missing.entries())
      documents.set(id, (found[index]?.value as unknown as InstanceDocument | undefined) ?? null);
    return documents;
  }

  /** Whether there can be no document yet: one that an event started may have one before its first step. */
  #isFirst(event: RecordedEvent, id: string): boolean {
    if (event.version !== 1 || !this.#isOwnStep(event, id)) return false;
    const { on } = event.data as Step;
    return on.kind === 'started' && on.trigger === undefined;
  }

  async #deliver(id: string, task: Task, documents: Documents): Promise<void> {
    const { saga } = this.#parts;
    const { event } = task;
    const isStart = saga.startsOn.has(event.type);
    const trigger = triggerOf(event);
    const wish: Wish =
      event.type === sagaStepType
        ? (progress) => childEnded(progress, event, trigger)
        : (progress) => received(saga, progress, event, trigger);
    const standing = await this.#driver.deliver(id, wish, isStart && !documents.has(id)).catch((error: unknown) => {
      // Its stream is none of an instance, which no further attempt changes.
      throw hasCode(error, 'saga_refused') ? new TaskFailed(task, error) : error;
    });
    // Its first step is behind this event: until it is come to, the view says that it is there.
    if (isStart && standing !== undefined && !hasEnded(standing.progress))
      documents.begin(id, standing.progress, event);
  }

  async caughtUp(): Promise<void> {
    const { runtime } = this.#parts;
    this.#isLive = true;
    runtime.desks.open(this.#driver);
    this.#background.push(
      this.#insist(() => this.#takeUp()),
      this.#insist(() => this.#timers.run(this.#signal)),
    );
  }

  /** In the background, again and again where the store fails. */
  async #insist(work: () => Promise<void>): Promise<void> {
    const signal = this.#signal;
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (signal.aborted || hasCode(error, 'store_closed')) return;
        await delay(restartMs, signal).catch(() => undefined);
      }
    }
  }

  /** What others have left under way, and what is to be migrated. */
  async #takeUp(): Promise<void> {
    const { saga } = this.#parts;
    await this.#driveAll({ kind: 'eq', path: 'isBusy', value: true });
    if (saga.migrate !== undefined) await this.#driveAll({ kind: 'ne', path: 'version', value: saga.version });
  }

  async #driveAll(condition: Condition): Promise<void> {
    const { state, build } = this.#parts;
    const where = this.#inSlot(condition);
    let after: string | undefined;
    do {
      const page = await state.find(build.collection, { where, orderBy: [], after, limit: pageSize });
      for (const { value } of page.documents) {
        this.#signal.throwIfAborted();
        const { id, streamVersion } = value as unknown as InstanceDocument;
        this.#driver.drive(id, streamVersion);
        await this.#driver.room();
      }
      after = page.next;
    } while (after !== undefined);
  }

  async #due({
    after,
    until,
    limit,
    page,
  }: Parameters<DueTimersOptions['find']>[0]): ReturnType<DueTimersOptions['find']> {
    const { state, build } = this.#parts;
    const bounds: Condition[] = [
      ...(after > -Infinity ? [{ kind: 'gt', path: 'dueAt', value: after } as const] : []),
      { kind: 'lte', path: 'dueAt', value: until },
    ];
    const { documents, next } = await state.find(build.collection, {
      where: this.#inSlot(...bounds),
      orderBy: [{ path: 'dueAt', direction: 'asc' }],
      limit,
      after: page,
      paged: limit > 1,
    });
    return { due: documents.map(({ value }) => value as unknown as InstanceDocument), next };
  }

  #inSlot(...conditions: readonly Condition[]): Condition {
    return { kind: 'all', of: [{ kind: 'eq', path: 'slot', value: this.#parts.slot }, ...conditions] };
  }

  forget(): void {
    this.#counts = undefined;
    this.#documents.clear();
  }

  async end(): Promise<void> {
    this.#parts.runtime.desks.close(this.#driver);
    await this.#driver.end();
    await Promise.all(this.#background);
  }
}

function triggerOf(event: RecordedEvent): Trigger {
  const { position, stream, type, data, recordedAt, recordedAs } = event;
  // Of several that one is read as, each is taken in.
  const id = recordedAs === undefined || recordedAs.index === 0 ? event.id : `${event.id}/${recordedAs.index}`;
  return { position, id, stream, type, data, recordedAt };
}

/** It has been taken in, or passed by. */
function isKnown({ watermark, seen }: Progress, trigger: Trigger): boolean {
  return isBefore(trigger, watermark) || seen.has(trigger.id);
}

function received(
  saga: AnySaga,
  progress: Progress | undefined,
  event: RecordedEvent,
  trigger: Trigger,
): Happened | undefined {
  const causationId = trigger.id;
  if (progress === undefined) {
    if (!saga.startsOn.has(event.type)) return undefined;
    const correlationId = event.metadata.correlationId ?? trigger.id;
    return {
      on: { kind: 'started', version: saga.version, trigger },
      metadata: { correlationId, causationId },
    };
  }
  if (hasEnded(progress) || isKnown(progress, trigger)) return undefined;
  const { correlationId } = progress;
  return { on: { kind: 'event', trigger }, metadata: { correlationId, causationId } };
}

function childEnded(progress: Progress | undefined, event: RecordedEvent, trigger: Trigger): Happened | undefined {
  const end = endOf(event.data as Step);
  const key = end?.parent?.key;
  if (progress === undefined || end === undefined || key === undefined || hasEnded(progress)) return undefined;
  if (isKnown(progress, trigger) || progress.effects.get(key)?.status !== 'open') return undefined;
  const { correlationId } = progress;
  return {
    on: { kind: 'child', key, trigger: { ...trigger, data: end } },
    metadata: { correlationId, causationId: trigger.id },
  };
}

/** The documents of a batch, as they change. */
class Documents {
  counts: Counts;
  readonly #counted: Counts;
  readonly #parts: HandlingParts;
  readonly #before: ReadonlyMap<string, InstanceDocument | null>;
  /** Those that are other ones than before, or none. */
  readonly after: Map<string, InstanceDocument | null> = new Map();

  constructor(parts: HandlingParts, before: ReadonlyMap<string, InstanceDocument | null>, counts: Counts) {
    this.#parts = parts;
    this.#before = before;
    this.counts = counts;
    this.#counted = counts;
  }

  has(id: string): boolean {
    return this.#get(id) !== null;
  }

  /** Whether an event is behind the start of an instance. */
  isBehind(id: string, { position }: RecordedEvent): boolean {
    const document = this.#get(id);
    return document !== null && document.position < position;
  }

  #get(id: string): InstanceDocument | null {
    const after = this.after.get(id);
    return after === undefined ? (this.#before.get(id) ?? null) : after;
  }

  /** @param event a step of its own, or the end of its stream. */
  fold(id: string, { type, data, version, position }: RecordedEvent): void {
    const { slot } = this.#parts;
    if (type === deletedType) return void this.after.set(id, null);
    const step = data as Step;
    this.after.set(id, foldInstance(this.#get(id), step, { id, slot, version, position }));
    const { started, completed, compensated } = this.counts;
    const outcome = endOf(step)?.outcome;
    if (step.on.kind !== 'started' && outcome === undefined) return;
    this.counts = {
      started: started + (step.on.kind === 'started' ? 1 : 0),
      completed: completed + (outcome === 'completed' ? 1 : 0),
      compensated: compensated + (outcome === 'compensated' ? 1 : 0),
    };
  }

  begin(id: string, { version, startedAt }: Progress, { position }: RecordedEvent): void {
    if (this.has(id)) return;
    this.after.set(id, {
      id,
      slot: this.#parts.slot,
      position,
      version,
      status: 'running',
      isBusy: true,
      timers: {},
      startedAt,
      changedAt: startedAt,
      streamVersion: 0,
    });
  }

  *changed(): Iterable<InstanceDocument> {
    for (const document of this.after.values()) if (document !== null) yield document;
  }

  change(): StateCommit {
    const { build, slot } = this.#parts;
    const { collection } = build;
    const puts: DocumentPut[] = [];
    const deletes: { readonly collection: string; readonly key: string }[] = [];
    for (const [key, document] of this.after) {
      if (document !== null) puts.push({ collection, key, value: instanceValue(document) });
      else if ((this.#before.get(key) ?? null) !== null) deletes.push({ collection, key });
    }
    if (this.counts !== this.#counted)
      puts.push({ collection: countsCollection, key: build.slot(slot), value: { ...this.counts } });
    return { puts, deletes };
  }
}
