/** One instance, for whoever started it or looks after it. */
import { checkMetadata } from '../command/command-metadata.ts';
import type { CommandMetadata } from '../command/command-metadata.ts';
import type { EventMetadata } from '../event/event.ts';
import { toCanonicalJson, toFaithfulJson } from '../event/json.ts';
import { validate } from '../event/standard-schema.ts';
import { checkKeys, checkSignal, optionInvalid } from '../ground/check-options.ts';
import { EngineError } from '../ground/errors.ts';
import { LinkedSignal } from '../ground/linked-signal.ts';
import type { Moment } from '../store/moment.ts';
import { checkDocumentKey } from '../store/state-commit.ts';
import { validInput } from './children.ts';
import type { Happened } from './instance-worker.ts';
import { readInstance, refuseDeleted } from './journal.ts';
import type { Standing } from './journal.ts';
import { addFromOutside } from './outside.ts';
import { hasEnded } from './progress.ts';
import type { Progress } from './progress.ts';
import type { SagaRuntime } from './runtime.ts';
import { stateOf } from './saga-state.ts';
import type { SagaState } from './saga-state.ts';
import type { AnySaga, InferSagaSignals, InferSagaState } from './saga.ts';
import type { Failure, Resolution } from './step.ts';

/** How an instance has ended, or at what it is stuck. */
export type SagaResult =
  | { readonly kind: 'completed'; readonly result: unknown }
  /** Everything that it did is undone. */
  | { readonly kind: 'compensated'; readonly failure: Failure }
  /** An operator must act; without a key it is stuck at no effect. */
  | { readonly kind: 'stuck'; readonly key?: string; readonly failure: Failure };

/** Who acts. */
export interface ActOptions {
  readonly actor?: string | undefined;
  readonly metadata?: CommandMetadata | undefined;
}

export interface WaitOptions {
  /** In ms, also Infinity. Default Infinity. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const actKeys = ['actor', 'metadata'];

export class SagaHandle<S extends AnySaga = AnySaga> {
  readonly saga: S['name'];
  readonly id: string;
  /** Its stream: every step is an event of it. */
  readonly stream: string;
  readonly #saga: AnySaga;
  readonly #runtime: SagaRuntime;
  /** How far it is known to have come: what is waited for is further on. */
  readonly #known: Standing | undefined;

  /** @internal */
  constructor(runtime: SagaRuntime, saga: AnySaga, id: string, known?: Standing) {
    this.#runtime = runtime;
    this.#saga = saga;
    this.#known = known;
    this.saga = saga.name;
    this.id = id;
    this.stream = checkInstanceId(saga, id);
  }

  /**
   * How far it has come, now or at an earlier moment.
   * @throws {EngineError} `saga_not_found`
   */
  async state(
    options: { readonly at?: Moment; readonly signal?: AbortSignal } = {},
  ): Promise<SagaState<InferSagaState<S>>> {
    checkKeys('the options of state', options, ['at', 'signal']);
    const standing = await readInstance(this.#runtime.log, this.#saga, this.id, options);
    return stateOf(this.#found(standing).progress) as SagaState<InferSagaState<S>>;
  }

  #found(standing: Standing | undefined): Standing {
    if (standing !== undefined) return standing;
    throw new EngineError('saga_not_found', { saga: this.saga, id: this.id });
  }

  /** @throws {EngineError} `saga_refused` */
  #refuse(reason: string): EngineError {
    return new EngineError('saga_refused', { saga: this.saga, id: this.id, reason });
  }

  /**
   * Sends it a signal: an event for it alone, of one of the types in `events`.
   * @param options.key of two signals with one key the second is none. Default: each is another one.
   * @returns whether it was there already.
   * @throws {EngineError} `saga_not_found`; `saga_refused` if it has ended; `event_type_unknown`, `event_invalid`.
   */
  async signal<Type extends keyof InferSagaSignals<S> & string>(
    type: Type,
    data: InferSagaSignals<S>[Type],
    options: ActOptions & { readonly key?: string | undefined } = {},
  ): Promise<{ readonly duplicate: boolean }> {
    checkKeys('the options of a signal', options, [...actKeys, 'key']);
    const value = await this.#validSignal(type, data);
    const id = options.key ?? this.#runtime.newId();
    if (typeof id !== 'string' || id === '') throw optionInvalid('key', id, 'a string that is not empty');
    let duplicate = false;
    await this.#add(options, (progress) => {
      duplicate = progress.seen.has(`signal ${id}`);
      if (duplicate) return undefined;
      if (hasEnded(progress)) throw this.#refuse(`it has ended: ${progress.status}`);
      return { kind: 'signal', type, data: value, id };
    });
    return { duplicate };
  }

  async #validSignal(type: string, data: unknown): Promise<unknown> {
    const schema = Object.hasOwn(this.#saga.events, type) ? this.#saga.events[type] : undefined;
    if (schema === undefined)
      throw new EngineError('event_type_unknown', { type: String(type), known: Object.keys(this.#saga.events) });
    const refuse = (message: string, cause?: unknown) =>
      new EngineError(
        'event_invalid',
        { type, issues: [{ path: 'data', message }] },
        cause === undefined ? {} : { cause },
      );
    const result = await validate(schema, data, refuse);
    if (result.issues !== undefined) throw refuse(result.issues.map(({ message }) => message).join('; '));
    toFaithfulJson(result.value ?? null, 'data');
    return result.value ?? null;
  }

  /**
   * Has it compensated: what it did is undone. One that is being compensated, or has ended, is left as it is.
   * @returns how it then stands.
   * @throws {EngineError} `saga_not_found`
   */
  async cancel(reason: string, options: ActOptions = {}): Promise<SagaState<InferSagaState<S>>> {
    checkKeys('the options of cancel', options, actKeys);
    if (typeof reason !== 'string' || reason === '') throw optionInvalid('reason', reason, 'why it is cancelled');
    const { progress } = await this.#add(options, (found) =>
      found.failure !== undefined || hasEnded(found) ? undefined : { kind: 'cancel', reason },
    );
    return stateOf(progress) as SagaState<InferSagaState<S>>;
  }

  /** Has what it is stuck at tried again, under another idempotency key. @throws {EngineError} `saga_not_found`, `saga_refused` */
  async retry(options: ActOptions & { readonly key?: string } = {}): Promise<void> {
    await this.#resolve({ kind: 'retry' }, options);
  }

  /** Has what it is stuck at passed over, as if it were done. @throws {EngineError} `saga_not_found`, `saga_refused` */
  async skip(reason: string, options: ActOptions & { readonly key?: string } = {}): Promise<void> {
    if (typeof reason !== 'string' || reason === '') throw optionInvalid('reason', reason, 'why it is skipped');
    await this.#resolve({ kind: 'skip', reason }, options);
  }

  /** Says what became of what it is stuck at. @param result JSON. @throws {EngineError} `saga_not_found`, `saga_refused` */
  async resolve(
    result: unknown,
    options: ActOptions & { readonly key?: string; readonly reason?: string } = {},
  ): Promise<void> {
    checkKeys('the options of resolve', options, [...actKeys, 'key', 'reason']);
    const { reason, ...rest } = options;
    if (reason !== undefined && typeof reason !== 'string') throw optionInvalid('reason', reason, 'a string');
    toFaithfulJson(result ?? null, 'result');
    await this.#resolve({ kind: 'resolve', result: result ?? null, ...(reason !== undefined && { reason }) }, rest);
  }

  async #resolve(act: Resolution, options: ActOptions & { readonly key?: string }): Promise<void> {
    checkKeys(`the options of ${act.kind}`, options, [...actKeys, 'key']);
    await this.#add(options, ({ status, stuck }) => {
      if (status !== 'stuck' || stuck === undefined) throw this.#refuse(`it is not stuck: ${status}`);
      const { key } = stuck;
      if (options.key !== undefined && options.key !== key)
        throw this.#refuse(`it is not stuck at ${options.key}, but at ${key ?? 'no effect'}`);
      if (key === undefined && act.kind !== 'retry')
        throw this.#refuse('it is stuck at no effect: retry it once its definition is corrected, or cancel it');
      return { kind: 'operator', ...(key !== undefined && { key }), act };
    });
  }

  async #add(
    { actor, metadata }: ActOptions,
    make: (progress: Progress) => Happened['on'] | undefined,
  ): Promise<Standing> {
    const given = metadataOf(metadata, actor);
    const standing = await addFromOutside(this.#runtime, this.#saga, this.id, (progress) => {
      const found = progress ?? this.#found(undefined).progress;
      const on = make(found);
      return on && { on, metadata: given };
    });
    return this.#found(standing);
  }

  /**
   * Waits until it has ended, or is stuck.
   * @throws {EngineError} `saga_not_found`; `saga_running` when the time is up; the signal's reason, when aborted.
   */
  async result(options: WaitOptions = {}): Promise<SagaResult> {
    checkKeys('the options of result', options, ['timeoutMs', 'signal']);
    const { timeoutMs = Infinity, signal } = options;
    if (!(typeof timeoutMs === 'number' && timeoutMs >= 0))
      throw optionInvalid('timeoutMs', timeoutMs, 'a number of ms');
    checkSignal(signal);
    const { log, ends } = this.#runtime;
    const standing = this.#known ?? this.#found(await readInstance(log, this.#saga, this.id));
    if (timeoutMs === Infinity) return resultOf(await ends.wait(this.#saga, this.id, standing, signal));
    const tooLong = new Error('the time is up');
    using linked = new LinkedSignal([signal], { ms: timeoutMs, reason: tooLong });
    try {
      return resultOf(await ends.wait(this.#saga, this.id, standing, linked.signal));
    } catch (error) {
      if (error !== tooLong) throw error;
      const { status } = await this.state();
      throw new EngineError('saga_running', { saga: this.saga, id: this.id, status, waitedMs: timeoutMs });
    }
  }
}

/** @throws {EngineError} `saga_refused` for one that was deleted. */
function resultOf(standing: Standing): SagaResult {
  refuseDeleted(standing);
  const { status, result, failure, stuck } = standing.progress;
  if (status === 'completed') return { kind: 'completed', result };
  if (status === 'compensated') return { kind: 'compensated', failure: failure as Failure };
  return { kind: 'stuck', ...(stuck as { readonly failure: Failure }) };
}

/** @throws {EngineError} `option_invalid` */
function metadataOf(metadata: CommandMetadata = {}, actor: string | undefined): EventMetadata {
  checkMetadata(metadata);
  const all = { ...metadata, ...(actor !== undefined && { actor }) };
  checkMetadata(all);
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Its id is the key of a document as well. @throws {EngineError} `name_invalid` */
function checkInstanceId(saga: AnySaga, id: string): string {
  checkDocumentKey(id);
  return saga.stream(id);
}

/**
 * Starts an instance, unless it was started with the same input before.
 * @throws {EngineError} `saga_exists`, `event_invalid`, `name_invalid`, `data_unfaithful`
 */
export async function startInstance(
  runtime: SagaRuntime,
  saga: AnySaga,
  id: string,
  input: unknown,
  { actor, metadata }: ActOptions,
): Promise<{ readonly duplicate: boolean; readonly standing: Standing }> {
  checkInstanceId(saga, id);
  const valid = await validInput(saga, input);
  if (valid.issues !== undefined) {
    const issues = valid.issues.map(({ message, path = [] }) => ({
      path: ['input', ...path.map((part) => String(typeof part === 'object' ? part.key : part))].join('.'),
      message,
    }));
    throw new EngineError('event_invalid', { type: `${saga.name} started`, issues });
  }
  const given = valid.value ?? null;
  const wanted = toCanonicalJson(given, 'input');
  const said = metadataOf(metadata, actor);
  const correlationId = metadata?.correlationId ?? runtime.newId();
  let duplicate = false;
  const standing = await addFromOutside(
    runtime,
    saga,
    id,
    (progress) => {
      duplicate = progress !== undefined;
      if (progress === undefined) {
        const on = { kind: 'started', version: saga.version, input: given } as const;
        return { on, metadata: { ...said, correlationId } };
      }
      if (progress.startedWith !== wanted) throw new EngineError('saga_exists', { saga: saga.name, id });
      return undefined;
    },
    true,
  );
  return { duplicate, standing: standing as Standing };
}
