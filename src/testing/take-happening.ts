/** Has what a test tells happen, as a worker would record it; refuses what could not happen. */
import { splitStreamName } from '../event/names.ts';
import { endOfError } from '../saga/attempt.ts';
import { FinalError } from '../saga/activity.ts';
import type { AnyActivity } from '../saga/activity.ts';
import { endOfAttempt, endOfChild, endOfCommand } from '../saga/endings.ts';
import type { Ending } from '../saga/endings.ts';
import { hasEnded } from '../saga/progress.ts';
import type { EffectProgress } from '../saga/progress.ts';
import { activityOf } from '../saga/runtime.ts';
import type { AnySaga } from '../saga/saga.ts';
import type { Ended, Resolution, Trigger } from '../saga/step.ts';
import { complain } from './complaint.ts';
import type { OfKey, SagaHappening } from './saga-happenings.ts';
import type { SagaRun } from './saga-run.ts';
import { validNow } from './valid-now.ts';

/** An event, whatever its types. */
export interface UntypedSagaEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly stream?: string;
  readonly tags?: readonly string[];
}

/** @throws {AssertionError} for what could not happen; a TypeError where a schema is asynchronous. */
export function take(run: SagaRun, what: SagaHappening | UntypedSagaEvent): void {
  if (!('kind' in what)) return takeEvent(run, what);
  switch (what.kind) {
    case 'started':
      return start(run, what.input);
    case 'passed':
      return run.passTo(run.now + what.ms);
    case 'timed_out':
      return timeOut(run, what.key);
    case 'woke':
      return wake(run, what.key);
    default:
      return run.happen(endingOf(run, what));
  }
}

function endingOf(
  run: SagaRun,
  what: Exclude<SagaHappening, { readonly kind: 'started' | 'passed' | 'timed_out' | 'woke' }>,
): Ending {
  requireRunning(run, what.kind);
  switch (what.kind) {
    case 'signal': {
      const { type, data } = what;
      const schema = run.saga.events[type] ?? complain(`${run.saga.name} takes no signal ${type}`);
      const value = requireValid(validNow(schema, data, `the signal ${type}`), `the signal ${type}`);
      return { on: { kind: 'signal', type, data: value, id: `signal-${nextVersion(run)}` } };
    }
    case 'completed': {
      const { effect, activity } = underWay(run, what.activity, what);
      const output = requireValid(
        validNow(activity.output, what.returned, 'its output'),
        `what ${activity.name} returns`,
      );
      return attemptEnded(run, effect, { kind: 'completed', output });
    }
    case 'failed': {
      const { effect, activity } = underWay(run, what.activity, what);
      const { failure } = what;
      const error = failure instanceof Error ? failure : new FinalError(failure.code, failure.details);
      return attemptEnded(run, effect, endOfError(error, activity));
    }
    case 'lost':
      return { on: { kind: 'lost', key: underWay(run, what.activity, what).effect.key } };
    case 'accepted':
    case 'rejected':
      return commandEnded(run, what);
    case 'child_completed':
      return childEnded(run, what.key, { kind: 'ended', outcome: 'completed', result: what.result });
    case 'child_failed': {
      const { code, details } = what;
      const failure = { code, message: code, ...(details !== undefined && { details }) };
      return childEnded(run, what.key, { kind: 'ended', outcome: 'compensated', failure });
    }
    case 'cancelled':
      if (run.started.failure !== undefined) complain(`${run.who}: it cannot be cancelled any more`);
      return { on: { kind: 'cancel', reason: what.reason } };
    case 'retried':
      return operatorActed(run, { kind: 'retry' });
    case 'skipped':
      return operatorActed(run, { kind: 'skip', reason: what.reason });
    case 'resolved':
      return operatorActed(run, { kind: 'resolve', result: what.result ?? null });
    default:
      what satisfies never;
      return complain('There is no such thing as can happen');
  }
}

function requireRunning(run: SagaRun, what: string): void {
  if (hasEnded(run.started)) complain(`${run.who}: there is no ${what} any more`);
}

/** The same in every run. */
function nextVersion(run: SagaRun): number {
  return (run.progress?.streamVersion ?? 0) + 1;
}

function requireValid(result: ReturnType<typeof validNow>, what: string): unknown {
  if (result.issues === undefined) return result.value ?? null;
  return complain(`${what} does not match its schema: ${result.issues.map(({ message }) => message).join('; ')}`);
}

const instanceDefault = '1';

function start(run: SagaRun, given: unknown): void {
  const { saga, id = instanceDefault } = run;
  if (run.progress !== undefined) complain(`${run.who}: it cannot be started again`);
  if (saga.input === undefined && given !== undefined) complain(`${saga.name} takes no input`);
  const input =
    saga.input === undefined
      ? null
      : requireValid(validNow(saga.input, given, 'its input'), `the input of ${saga.name}`);
  saga.stream(id);
  run.happen({ on: { kind: 'started', version: saga.version, input } }, id);
}

function takeEvent(run: SagaRun, event: UntypedSagaEvent): void {
  const { saga } = run;
  const { type } = event;
  if (!Object.hasOwn(saga.events, type)) complain(`${saga.name} takes no event ${type}`);
  const isFirst = run.progress === undefined;
  if (isFirst && !saga.startsOn.has(type))
    complain(`${type} does not start ${saga.name}: ${[...saga.startsOn].join(', ') || '`started`'} does`);
  if (!isFirst) requireRunning(run, type);
  const trigger = triggerOf(run, event);
  const concerned = instanceOf(saga, event, trigger);
  if (concerned === undefined) complain(`${type} concerns no instance of ${saga.name}: its \`id\` gives undefined`);
  if (run.id !== undefined && concerned !== run.id)
    complain(`${type} concerns ${saga.name} ${concerned}, not ${run.id}: its \`id\` says so`);
  if (isFirst) run.happen({ on: { kind: 'started', version: saga.version, trigger } }, concerned);
  else run.happen({ on: { kind: 'event', trigger } });
}

function triggerOf(
  run: SagaRun,
  { type, data = null, stream = `stream-${run.id ?? instanceDefault}` }: UntypedSagaEvent,
): Trigger {
  const position = nextVersion(run);
  return { position, id: `event-${position}`, stream, type, data, recordedAt: run.now };
}

function instanceOf(saga: AnySaga, { tags = [] }: UntypedSagaEvent, trigger: Trigger): string | undefined {
  const { aggregate, aggregateId } = splitStreamName(trigger.stream);
  const id = saga.idOf({ ...trigger, aggregate, aggregateId, tags });
  if (id !== undefined && typeof id !== 'string') complain(`\`id\` of ${saga.name} gives what is no string`);
  return id;
}

/** The attempt at an activity that is under way. */
function underWay(
  run: SagaRun,
  name: string,
  { key }: OfKey,
): { readonly effect: EffectProgress; readonly activity: AnyActivity } {
  const all = [...run.started.effects.values()].filter(({ status }) => status === 'attempting');
  const found = all.filter((one) => one.name === name && (key === undefined || one.key === key));
  const [effect] = found;
  const activity = activityOf(run.saga, name);
  const others = all.map((one) => `${one.name} (${one.key})`).join(', ') || 'nothing';
  if (effect === undefined || activity === undefined)
    return complain(`${run.who}: no attempt at ${key ?? name} is under way, but ${others}`);
  if (found.length > 1)
    complain(`${run.who}: several attempts at ${name} are under way; say which by { key }: ${others}`);
  return { effect, activity };
}

function attemptEnded(run: SagaRun, { key, attempt }: EffectProgress, end: Parameters<typeof endOfAttempt>[3]): Ending {
  return endOfAttempt(run.parts(), key, attempt, end) ?? complain(`${run.who}: ${key} is not under way`);
}

function commandEnded(run: SagaRun, what: Extract<SagaHappening, { readonly kind: 'accepted' | 'rejected' }>): Ending {
  const { command, effects } = run.agenda();
  if (command?.key !== what.key)
    return complain(`${run.who}: the command ${what.key} is not due, but ${command?.key ?? 'no command'}`);
  const outcome =
    what.kind === 'accepted'
      ? ({ kind: 'accepted', eventsBehind: 0, ...what.result } as const)
      : ({ kind: 'rejected', index: 0, code: what.code, details: what.details } as const);
  return endOfCommand(run.parts(), command, outcome, effects.get(what.key));
}

function childEnded(run: SagaRun, key: string, end: Ended): Ending {
  const { started } = run;
  const effect = started.effects.get(key);
  if (effect?.kind !== 'child' || effect.status !== 'open') return complain(`${run.who}: no child ${key} is running`);
  const position = nextVersion(run);
  const trigger = { position, id: `event-${position}`, stream: `${effect.name}-${key}`, type: '$saga_step', data: end };
  return endOfChild(run.parts(), { kind: 'child', key, trigger: { ...trigger, recordedAt: run.now } });
}

function operatorActed(run: SagaRun, act: Resolution): Ending {
  const { status, stuck } = run.started;
  if (status !== 'stuck') return complain(`${run.who}: it is not stuck`);
  const { key } = stuck ?? {};
  if (key === undefined && act.kind !== 'retry')
    complain(`${run.who}: it is stuck at no effect, where an operator can only retry or cancel`);
  return { on: { kind: 'operator', ...(key !== undefined && { key }), act } };
}

function timeOut(run: SagaRun, key: string): void {
  const effect = run.started.effects.get(key);
  if (effect?.status === 'attempting') {
    const { attempt, name } = effect;
    run.passTo(run.timeLimit(effect));
    const failure = { code: 'timed_out', message: `an attempt at ${name} took too long` };
    return run.happen(
      attemptEnded(run, { ...effect, attempt }, { kind: 'failed', failure, final: false, unknown: true }),
    );
  }
  if (effect?.kind !== 'wait' || effect.timer === undefined)
    return complain(`${run.who}: ${key} neither waits nor is under way`);
  run.passTo(effect.timer.at);
  if (run.started.effects.get(key)?.status !== 'failed') complain(`${run.who}: by then ${key} was not waited for`);
}

function wake(run: SagaRun, key: string): void {
  const { timer } = run.started.effects.get(key) ?? {};
  if (timer === undefined || timer.for === 'wait')
    return complain(`${run.who}: ${key} neither sleeps nor is to be tried again`);
  run.passTo(timer.at);
}
