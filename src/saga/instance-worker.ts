/** Works on one instance: records what happened, and does what is due, until it rests. */
import type { CommandReceipt } from '../command/command.ts';
import type { Outcome } from '../command/outcome.ts';
import { toHex } from '../event/bytes.ts';
import type { Draft, EventMetadata } from '../event/event.ts';
import { toFaithfulJson } from '../event/json.ts';
import type { RecordedDraft } from '../event/recorded-draft.ts';
import { EngineError, describe, hasCode } from '../ground/errors.ts';
import { agendaOf } from './agenda.ts';
import type { Agenda, DueCommand } from './agenda.ts';
import { failureOf } from './attempt.ts';
import { Attempts } from './attempts.ts';
import { cancelFor, startChild } from './children.ts';
import type { Effect } from './effect.ts';
import { commandFailed, endOfAttempt, endOfChild, endOfCommand, failed } from './endings.ts';
import type { Ending, EndingParts } from './endings.ts';
import { commandFaults, executeApart, executeTogether, releaseReceipts } from './execute.ts';
import { addStep, readInstance, streamOf } from './journal.ts';
import type { Standing } from './journal.ts';
import { announce } from './notice.ts';
import { advance, hasEnded, progressed, withConsequences } from './progress.ts';
import type { Progress } from './progress.ts';
import type { SagaRuntime } from './runtime.ts';
import { versionOf } from './saga.ts';
import type { AnySaga } from './saga.ts';
import { stepDraft } from './step.ts';
import type { Consequence, Step } from './step.ts';

export interface Happened extends Ending {
  readonly metadata?: EventMetadata;
}

/** Something that has happened, to be recorded; undefined: it does not matter any more. */
export type Wish = (progress: Progress | undefined) => Happened | undefined;

interface Request {
  readonly wish: Wish;
  readonly done: PromiseWithResolvers<void>;
}

export interface WorkerParts {
  /** What is known of the instance already. */
  readonly since: Standing | undefined;
  /** Whether it is probably not there: if it is, that is noticed when something is recorded. */
  readonly isNew: boolean;
  /** Fires when somebody else may work on it from now on. */
  readonly signal: AbortSignal;
  /** Called when an attempt that found no permit can be made. */
  readonly onFree: () => void;
  /** Called when it only waits for attempts that are under way. */
  readonly onWait: () => void;
}

/** A step that is to be recorded, and what it leads to. */
interface Composed {
  readonly step: Step;
  readonly progress: Progress;
  /** What follows, of what can begin now. */
  readonly begins: readonly Consequence[];
  readonly effects: ReadonlyMap<string, Effect>;
  /** What is due then; undefined where something could not begin. */
  readonly agenda: Agenda | undefined;
}

/** Attempts whose end nobody knows, before an effect is taken to have failed: it may be what kills its workers. */
const lostMax = 20;

export class InstanceWorker {
  /** Whether nothing may be asked of it any more. */
  isOver = false;
  readonly #runtime: SagaRuntime;
  readonly #saga: AnySaga;
  readonly #id: string;
  readonly #stream: string;
  readonly #signal: AbortSignal;
  readonly #onWait: () => void;
  #standing: Standing | undefined;
  #isStale: boolean;
  readonly #requests: Request[] = [];
  /** Whether something was told since it last looked at what is due, and who waits for that. */
  #hasNews = false;
  #wake: (() => void) | undefined;
  /** Effects that were begun, by key, as `next` asked for them. */
  readonly #begun = new Map<string, Effect>();
  /** What is due, where that is known from the step that was recorded last. */
  #planned: Agenda | undefined;
  readonly #attempts: Attempts;
  /** Children that were started, and those that were cancelled. */
  readonly #started = new Set<string>();
  readonly #cancelled = new Set<string>();

  constructor(runtime: SagaRuntime, saga: AnySaga, id: string, { since, isNew, signal, onFree, onWait }: WorkerParts) {
    this.#runtime = runtime;
    this.#saga = saga;
    this.#id = id;
    this.#stream = streamOf(saga, id);
    this.#signal = signal;
    this.#onWait = onWait;
    // What was begun is known by reading it again.
    this.#standing = since !== undefined && needsBegun(since.progress) ? undefined : since;
    this.#isStale = this.#standing === undefined && !(isNew && since === undefined);
    this.#attempts = new Attempts({
      runtime,
      saga,
      id,
      signal,
      onFree,
      onEnd: (key, attempt, ended) => {
        if (ended === undefined) return this.look();
        const wish = () => endOfAttempt(this.#parts(), key, attempt, ended);
        // Where that fails it is heard of by the work itself.
        return void this.record(wish).catch(() => undefined);
      },
    });
  }

  get standing(): Standing | undefined {
    return this.#standing;
  }

  /** Resolves once what has happened is recorded, or need not be. */
  record(wish: Wish): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#requests.push({ wish, done });
    this.look();
    return done.promise;
  }

  /** Looks again at what is due. */
  look(): void {
    this.#hasNews = true;
    this.#wake?.();
  }

  /** Others have added steps, up to this version. */
  tell(version: number): void {
    if ((this.#standing?.progress.streamVersion ?? 0) >= version) return;
    this.#isStale = true;
    this.look();
  }

  /** Resolves when there is nothing more to do for now. @throws the signal's reason, when aborted; what the store fails with. */
  async run(): Promise<void> {
    try {
      for (;;) {
        this.#signal.throwIfAborted();
        this.#hasNews = false;
        if ((await this.#work()) || this.#hasNews) continue;
        if (this.#attempts.size === 0) return;
        this.#onWait();
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } catch (error) {
      for (const { done } of this.#requests.splice(0)) done.reject(error);
      throw error;
    } finally {
      this.isOver = true;
      this.#attempts.end();
    }
  }

  /** Does one thing. @returns whether there was one. */
  async #work(): Promise<boolean> {
    const [request] = this.#requests;
    if (this.#isStale) await this.#catchUp();
    else if (request !== undefined) await this.#fulfil(request);
    else return this.#goOn();
    return true;
  }

  async #catchUp(): Promise<void> {
    this.#isStale = false;
    this.#planned = undefined;
    // What could not be folded may be by now.
    const since = this.#standing?.progress.broken === undefined ? this.#standing : undefined;
    this.#standing = await readInstance(this.#runtime.log, this.#saga, this.#id, {
      since,
      signal: this.#signal,
      onBegun: (key, before) => this.#remember(key, before),
    });
  }

  /** Finds the effect that is being begun: what `next` asked for in the state of then. */
  #remember(key: string, before: Progress): void {
    try {
      const effects = versionOf(this.#saga, before.version)?.next(before.state, progressed(before));
      const effect = (effects as readonly Effect[] | undefined)?.find((one) => one.key === key);
      if (effect !== undefined) this.#begun.set(key, effect);
    } catch {
      // One that fails now asks for nothing.
    }
  }

  async #fulfil(request: Request): Promise<void> {
    let happened: Happened | undefined;
    try {
      happened = request.wish(this.#standing?.progress);
      if (happened?.on.kind === 'child') happened = { ...happened, ...endOfChild(this.#parts(), happened.on) };
    } catch (error) {
      this.#settle(request).reject(error);
      return;
    }
    if (happened === undefined || (await this.#record(happened))) this.#settle(request).resolve();
  }

  #settle(request: Request): PromiseWithResolvers<void> {
    this.#requests.splice(this.#requests.indexOf(request), 1);
    return request.done;
  }

  async #goOn(): Promise<boolean> {
    const progress = this.#standing?.progress;
    if (progress === undefined || hasEnded(progress)) return false;
    const { version } = progress;
    if (versionOf(this.#saga, version) === undefined) {
      this.#runtime.notice({ kind: 'version_absent', saga: this.#saga.name, instance: this.#id, version });
      return false;
    }
    const happened = this.#migration(progress) ?? this.#firedTimer(progress) ?? this.#lostAttempt(progress);
    if (happened !== undefined) {
      await this.#record(happened);
      return true;
    }
    if (progress.status === 'compensating') await this.#breakOff(progress);
    return this.#doDue(progress);
  }

  #migration({ version, status, state }: Progress): Happened | undefined {
    const { migrate, version: newest } = this.#saga;
    if (migrate === undefined || version === newest || status !== 'running') return undefined;
    try {
      const next = migrate(state, version) ?? null;
      toFaithfulJson(next, 'state');
      return { on: { kind: 'migrated', from: version, to: newest, state: next } };
    } catch (error) {
      const failure = failureOf('migrate_failed', describe(error));
      return { on: { kind: 'taken_up' }, first: [{ kind: 'stuck', failure }] };
    }
  }

  /** The earliest of those that are due. */
  #firedTimer({ effects, status }: Progress): Happened | undefined {
    if (status === 'stuck') return undefined;
    const now = this.#runtime.now();
    let first: { readonly key: string; readonly at: number } | undefined;
    for (const { key, timer } of effects.values())
      if (timer !== undefined && timer.at <= now && timer.at < (first?.at ?? Infinity)) first = { key, at: timer.at };
    return first && { on: { kind: 'timer', key: first.key } };
  }

  /** One that is under way according to the record, and is not: whoever made it is gone. */
  #lostAttempt({ effects }: Progress): Happened | undefined {
    for (const { key, status, lost } of effects.values()) {
      if (status !== 'attempting' || this.#attempts.has(key)) continue;
      if (lost < lostMax) return { on: { kind: 'lost', key } };
      const failure = { code: 'lost', message: `the end of ${lost + 1} attempts is not known` };
      return failed(this.#parts(), key, failure, { final: true, unknown: true });
    }
    return undefined;
  }

  /** What has been begun is to be undone now. */
  async #breakOff({ effects }: Progress): Promise<void> {
    this.#attempts.breakOff();
    for (const { key, kind, status, name } of effects.values()) {
      if (kind !== 'child' || status !== 'open' || this.#cancelled.has(key)) continue;
      const effect = this.#begun.get(key);
      const child = this.#runtime.sagas.get(name as string);
      if (effect?.kind === 'child' && child !== undefined)
        await cancelFor(this.#runtime, child, effect.id, `${this.#stream} is being compensated`);
      this.#cancelled.add(key);
    }
  }

  async #doDue(progress: Progress): Promise<boolean> {
    const agenda = this.#planned ?? this.#agenda(progress);
    this.#planned = undefined;
    if (!(await this.#startChildren(agenda))) return true;
    const { follows, isWhole } = this.#permitted(agenda);
    this.#attempts.release();
    const { command, rests } = agenda;
    if (follows.length > 0 || (rests && isWhole && !progress.rests)) await this.#record({ on: { kind: 'taken_up' } });
    else if (command !== undefined && isWhole) await this.#execute(command, agenda);
    else return false;
    return true;
  }

  #agenda(progress: Progress): Agenda {
    return agendaOf(progress, {
      saga: this.#saga,
      now: this.#runtime.now(),
      canReconcile: (activity) => this.#runtime.implementations.get(activity)?.reconcile !== undefined,
      begun: (key) => this.#begun.get(key),
    });
  }

  /**
   * Before it is recorded that they were: then whoever goes on after a crash starts them again, which changes nothing.
   * @returns whether they were; one that could not be is recorded to have failed, and other things are due then.
   */
  async #startChildren({ follows, begins }: Agenda): Promise<boolean> {
    for (const one of follows) {
      const effect = one.kind === 'child' ? begins.get(one.key) : undefined;
      if (effect?.kind !== 'child' || this.#started.has(effect.key)) continue;
      const parent = { saga: this.#saga.name, id: this.#id, key: effect.key };
      const failure = await startChild(this.#runtime, effect, parent, this.#metadata());
      if (failure !== undefined) {
        await this.#record({ on: { kind: 'failed', key: effect.key, of: 'child', failure, final: true } });
        return false;
      }
      this.#started.add(effect.key);
    }
    return true;
  }

  /** Of what follows all that can begin now. */
  #permitted({ follows }: Agenda): { readonly follows: readonly Consequence[]; readonly isWhole: boolean } {
    this.#attempts.release();
    const unstarted = follows.findIndex((one) => one.kind === 'child' && !this.#started.has(one.key));
    // What comes behind a child may follow from its being started.
    const possible = unstarted === -1 ? follows : follows.slice(0, unstarted);
    const permitted = possible.filter((one) => one.kind !== 'attempt' || this.#attempts.reserve(one));
    return { follows: permitted, isWhole: permitted.length === follows.length };
  }

  /** What happened, with what follows from it. */
  #compose({ on, first = [], metadata }: Happened): Composed {
    const before = this.#standing?.progress;
    const at = this.#runtime.now();
    const progress = advance(this.#saga, before, {
      step: { on, at, follows: first },
      id: this.#id,
      version: this.#version + 1,
      correlationId: before?.correlationId ?? metadata?.correlationId ?? '',
    });
    const agenda = this.#agenda(progress);
    const { follows, isWhole } = this.#permitted(agenda);
    const all = [...first, ...follows];
    const rests = agenda.rests && isWhole;
    const after = isWhole ? agenda.progress : withConsequences(this.#saga, progress, follows);
    return {
      step: { on, at, ...(all.length > 0 && { follows: all }), ...(rests && { rests }) },
      progress: { ...after, rests },
      begins: follows,
      effects: agenda.begins,
      agenda: isWhole ? { ...agenda, follows: [] } : undefined,
    };
  }

  /** What `next` asks for may be what cannot be kept: then that is what the instance is stuck at. */
  #drafted(happened: Happened, metadata: EventMetadata): { readonly composed: Composed; readonly draft: Draft } {
    const composed = this.#compose(happened);
    try {
      return { composed, draft: stepDraft(composed.step, metadata) };
    } catch (error) {
      const failure = failureOf('next_failed', describe(error));
      const { on, first = [] } = happened;
      const stuck = this.#compose({ on, first: [...first, { kind: 'stuck', failure }] });
      return { composed: stuck, draft: stepDraft(stuck.step, metadata) };
    }
  }

  /** @returns whether it was recorded; if not, somebody else was faster. */
  async #record(happened: Happened): Promise<boolean> {
    try {
      const { composed, draft } = this.#drafted(happened, this.#metadata(happened));
      const added = await addStep(this.#runtime.log, this.#stream, this.#version, draft);
      if (added.kind === 'overtaken') this.#isStale = true;
      else this.#take(added.event, composed);
      return added.kind === 'added';
    } finally {
      this.#attempts.release();
    }
  }

  get #version(): number {
    return this.#standing?.progress.streamVersion ?? 0;
  }

  /** What came from outside says itself what it was caused by. */
  #metadata({ metadata }: Pick<Happened, 'metadata'> = {}): EventMetadata {
    const { progress, last } = this.#standing ?? {};
    return {
      ...(progress !== undefined && { correlationId: progress.correlationId }),
      ...(metadata ?? (last !== undefined && { causationId: toHex(last.id) })),
    };
  }

  /** It is recorded: what it begins is begun. */
  #take(event: RecordedDraft, { step, progress, begins, effects, agenda }: Composed): void {
    this.#standing = { progress, last: event };
    this.#planned = agenda;
    for (const one of begins) {
      if (one.kind !== 'attempt' && one.kind !== 'child') continue;
      const effect = effects.get(one.key);
      if (effect !== undefined && !this.#begun.has(one.key)) this.#begun.set(one.key, effect);
      if (one.kind === 'attempt') this.#attempts.begin(one.key, progress);
    }
    announce(this.#runtime.notice, progress, step);
    if (hasEnded(progress)) void releaseReceipts(this.#runtime, this.#stream).catch(() => undefined);
    if (hasEnded(progress) || progress.status === 'stuck') this.#runtime.ends.tell(this.#stream, this.#standing);
  }

  #parts(): EndingParts {
    const { progress } = this.#standing as Standing;
    return { runtime: this.#runtime, saga: this.#saga, progress, begun: (key) => this.#begun.get(key) };
  }

  async #execute(due: DueCommand, agenda: Agenda): Promise<void> {
    try {
      await this.#attemptCommand(due, agenda);
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof EngineError) || !commandFaults.some((code) => hasCode(error, code))) throw error;
      // It may have been done all the same: then there are further steps.
      const version = this.#version;
      await this.#catchUp();
      if (this.#version === version)
        await this.#record(
          commandFailed(this.#parts(), due, failureOf(error.code, error.summary), isFinal(due, error)),
        );
    } finally {
      this.#attempts.release();
    }
  }

  async #attemptCommand(due: DueCommand, agenda: Agenda): Promise<void> {
    const runtime = this.#runtime;
    const { progress } = this.#standing as Standing;
    const metadata = this.#metadata();
    const parts = { runtime, stream: this.#stream, progress, metadata, signal: this.#signal };
    const endOf = (outcome: Outcome) => endOfCommand(this.#parts(), due, outcome, agenda.effects.get(due.key));
    if (!runtime.log.capabilities.multiStream) {
      const { receipt, outcome } = await executeApart(parts, due);
      if (outcome !== undefined) await this.#record(endOf(outcome));
      else await this.#notDecided(due, receipt);
      return;
    }
    let composed: Composed | undefined;
    const step = (outcome: Outcome) => {
      const drafted = this.#drafted(endOf(outcome), metadata);
      composed = drafted.composed;
      return drafted.draft;
    };
    const receipt = await executeTogether(parts, due, step, (event) => {
      if (composed !== undefined) this.#take(event, composed);
    });
    await this.#notDecided(due, receipt);
  }

  async #notDecided(due: DueCommand, receipt: CommandReceipt): Promise<void> {
    if (receipt.kind === 'accepted' || receipt.kind === 'rejected') return;
    if (receipt.kind === 'conflict' && receipt.stream === this.#stream) {
      this.#isStale = true;
      return;
    }
    const isInvalid = receipt.kind === 'invalid';
    const failure = isInvalid
      ? failureOf('input_invalid', receipt.issues.map(({ message }) => message).join('; '), undefined)
      : failureOf('conflict', 'others were faster each time');
    await this.#record(commandFailed(this.#parts(), due, failure, isInvalid));
  }
}

function isFinal({ retry }: DueCommand, error: EngineError): boolean {
  try {
    return retry?.isFinal?.(error) === true;
  } catch {
    return false;
  }
}

/** Whether something was begun that may have to be undone. */
function needsBegun({ effects }: Progress): boolean {
  return [...effects.values()].some(
    ({ kind, status }) => (kind === 'activity' || kind === 'child') && status !== 'completed' && status !== 'failed',
  );
}
