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
import { Children } from './children.ts';
import type { Effect } from './effect.ts';
import { commandFailed, endOfAttempt, endOfChild, endOfCommand, failed } from './endings.ts';
import type { Ending, EndingParts } from './endings.ts';
import { commandFaults, executeApart, executeTogether, releaseReceipts } from './execute.ts';
import { addStep, readInstance, refuseDeleted, streamOf } from './journal.ts';
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
  /** The version that others have come to. */
  #told = 0;
  readonly #requests: Request[] = [];
  /** Whether something was told since it last looked at what is due, and who waits for that. */
  #hasNews = false;
  #wake: (() => void) | undefined;
  /** Effects that were begun, by key, as `next` asked for them. */
  readonly #begun = new Map<string, Effect>();
  /** What is due, where that is known from the step that was recorded last. */
  #planned: Agenda | undefined;
  readonly #attempts: Attempts;
  readonly #children: Children;

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
    this.#children = new Children({ runtime, saga, id });
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
    if (this.#version >= version) return;
    // It may be of a step that is being recorded here.
    this.#told = Math.max(this.#told, version);
    this.look();
  }

  get #isBehind(): boolean {
    return this.#isStale || this.#told > this.#version;
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
    if (this.#isBehind) await this.#catchUp();
    else if (request !== undefined) await this.#fulfil(request);
    else return this.#goOn();
    return true;
  }

  async #catchUp(): Promise<void> {
    this.#isStale = false;
    this.#told = 0;
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
      if (happened !== undefined) refuseDeleted(this.#standing);
      if (happened?.on.kind === 'child') happened = { ...happened, ...endOfChild(this.#parts(), happened.on) };
    } catch (error) {
      this.#settle(request).reject(error);
      return;
    }
    try {
      if (happened === undefined || (await this.#record(happened))) this.#settle(request).resolve();
    } catch (error) {
      // What somebody says may be what cannot be kept: that is not the instance's business, nor that of its attempts.
      if (!hasCode(error, 'data_unfaithful')) throw error;
      this.#settle(request).reject(error);
    }
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
    if (progress.status === 'compensating') {
      // What has been begun is to be undone now.
      this.#attempts.breakOff();
      await this.#children.cancel(progress, (key) => this.#begun.get(key));
    }
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

  async #doDue(progress: Progress): Promise<boolean> {
    const agenda = this.#planned ?? this.#agenda(progress);
    this.#planned = undefined;
    if (!(await this.#prepareChild(agenda))) return true;
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

  /** One after another: they may be in each other's way. @returns whether the first can be started; if not, it is recorded that it failed. */
  async #prepareChild({ follows, begins }: Agenda): Promise<boolean> {
    const first = follows.find((one) => one.kind === 'child' && !this.#children.has(one.key));
    const effect = first?.kind === 'child' ? begins.get(first.key) : undefined;
    if (effect?.kind !== 'child') return true;
    const failure = await this.#children.prepare(effect, this.#metadata());
    if (failure === undefined) return true;
    await this.#record({ on: { kind: 'failed', key: effect.key, of: 'child', failure, final: true } });
    return false;
  }

  /** Of what follows all that can begin now. @param withChildren whether more can be written with a step. */
  #permitted(
    { follows }: Agenda,
    withChildren = true,
  ): { readonly follows: readonly Consequence[]; readonly isWhole: boolean } {
    this.#attempts.release();
    const unstarted = follows.findIndex(
      (one) => one.kind === 'child' && !(withChildren && this.#children.has(one.key)),
    );
    // What comes behind a child may follow from its being started.
    const possible = unstarted === -1 ? follows : follows.slice(0, unstarted);
    const permitted = possible.filter((one) => one.kind !== 'attempt' || this.#attempts.reserve(one));
    return { follows: permitted, isWhole: permitted.length === follows.length };
  }

  /** What happened, with what follows from it. */
  #compose({ on, first = [], metadata }: Happened, withChildren: boolean): Composed {
    const before = this.#standing?.progress;
    const at = this.#runtime.now();
    const progress = advance(this.#saga, before, {
      step: { on, at, follows: first },
      id: this.#id,
      version: this.#version + 1,
      correlationId: before?.correlationId ?? metadata?.correlationId ?? '',
    });
    const agenda = this.#agenda(progress);
    const { follows, isWhole } = this.#permitted(agenda, withChildren);
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
  #drafted(
    happened: Happened,
    metadata: EventMetadata,
    withChildren = true,
  ): { readonly composed: Composed; readonly draft: Draft } {
    const composed = this.#compose(happened, withChildren);
    try {
      return { composed, draft: stepDraft(composed.step, metadata) };
    } catch (error) {
      const failure = failureOf('next_failed', describe(error));
      const { on, first = [] } = happened;
      const stuck = this.#compose({ on, first: [...first, { kind: 'stuck', failure }] }, false);
      return { composed: stuck, draft: stepDraft(stuck.step, metadata) };
    }
  }

  /** @returns whether it was recorded; if not, somebody else was faster. */
  async #record(happened: Happened): Promise<boolean> {
    try {
      const { composed, draft } = this.#drafted(happened, this.#metadata(happened));
      const children = this.#children.writesFor(composed.step);
      const added = await addStep(this.#runtime.log, this.#stream, this.#version, draft, children);
      if (added.kind === 'added') this.#take(added.event, composed);
      else {
        this.#isStale = true;
        this.#children.forget();
      }
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
    this.#children.started(step);
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
      const drafted = this.#drafted(endOf(outcome), metadata, false);
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
