/** The steps of a saga's instance, in words. */
import type { RecordedEvent } from '../event/codec.ts';
import { sagaStepType } from '../event/event.ts';
import type { CommandResult } from '../saga/effect.ts';
import { isUndoKey, undoKey } from '../saga/progress.ts';
import type { Consequence, Failure, Occurrence, Resolution, Step, TimerPurpose } from '../saga/step.ts';
import { jsonText } from './json-text.ts';
import { eventsText, shortTimeText } from './moment-text.ts';

/** What happened, and what followed. */
export interface StepWords {
  readonly what: string;
  readonly followed: readonly string[];
}

/** What a timer is for; of a wait, for which type. */
interface Timer {
  readonly for: TimerPurpose;
  readonly type?: string;
}

/** Undefined for an event that is no step of a saga, or none that this version knows. */
export function stepOf({ type, data }: Pick<RecordedEvent, 'type' | 'data'>): Step | undefined {
  if (type !== sagaStepType) return undefined;
  const step = data as Step | null;
  return typeof step?.on?.kind === 'string' ? step : undefined;
}

/** An effect as people call it. */
export function effectText(key: string): string {
  return isUndoKey(key) ? `undoing ${key.slice(undoKey('').length)}` : key;
}

export function failureText({ code, message, details }: Failure): string {
  if (code === 'cancelled') return `cancelled: ${message}`;
  // What was thrown has no code of its own.
  const coded = code === 'error' || message.includes(code) ? message : `${message} (${code})`;
  return details === undefined ? coded : `${coded} ${jsonText(details)}`;
}

/** Where, and why. */
export function stuckText({ key, failure }: { readonly key?: string; readonly failure: Failure }): string {
  return `stuck${key === undefined ? '' : ` at ${effectText(key)}`}: ${failureText(failure)}`;
}

/** What is to happen when a timer fires. */
export function timerText(key: string, timer: Timer): string {
  return timer.for === 'wait' ? `until then it waits for ${timer.type ?? key}` : firedText(key, timer);
}

function firedText(key: string, { for: purpose, type }: Timer): string {
  switch (purpose) {
    case 'retry':
      return `${effectText(key)} is tried again`;
    case 'wait':
      return `${type ?? key} has not come in time`;
    case 'sleep':
      return `${key} is over`;
    default:
      return purpose satisfies never;
  }
}

/** The data of an event, for a person; those of a step in words. */
export function dataText(event: RecordedEvent): string {
  const step = stepOf(event);
  if (step === undefined) return event.data === undefined || event.data === null ? '' : jsonText(event.data);
  return wordsText(new StepTeller(shortTimeText).tell(step));
}

/** On one line. */
export function wordsText({ what, followed }: StepWords): string {
  return [what, ...followed].join('; ');
}

/** Tells the steps of one instance, in their order: what an earlier one says is known of a later one. */
export class StepTeller {
  readonly #timeText: (ms: number) => string;
  readonly #timers = new Map<string, Timer>();

  constructor(timeText: (ms: number) => string) {
    this.#timeText = timeText;
  }

  tell({ on, follows = [] }: Step): StepWords {
    const again = on.kind === 'failed' ? follows.find((one) => one.kind === 'timer' && one.key === on.key) : undefined;
    const time = again?.kind === 'timer' ? ` (will be tried again at ${this.#timeText(again.at)})` : '';
    const what = `${this.#occurrence(on)}${time}`;
    for (const one of follows) if (one.kind === 'timer') this.#timers.set(one.key, one);
    return { what, followed: follows.flatMap((one) => (one === again ? [] : [this.#consequence(one)])) };
  }

  #occurrence(on: Occurrence): string {
    switch (on.kind) {
      case 'started':
        return startText(on);
      case 'event':
        return `${on.trigger.type} of ${on.trigger.stream} has come`;
      case 'signal':
        return `signal ${on.type}${valueText(on.data)}`;
      case 'completed':
        return isUndoKey(on.key)
          ? `${on.key.slice(undoKey('').length)} is undone${resultText(on.result)}`
          : `${on.key} is done${resultText(on.result)}`;
      case 'failed': {
        const doubt = on.unknown === true && on.final ? '; it may have happened all the same' : '';
        return `${effectText(on.key)} failed: ${failureText(on.failure)}${doubt}`;
      }
      case 'lost':
        return `nobody knows what became of ${effectText(on.key)}: who attempted it is gone`;
      case 'timer': {
        const timer = this.#timers.get(on.key);
        return timer === undefined ? `the time of ${effectText(on.key)} has come` : firedText(on.key, timer);
      }
      case 'child':
        return `${on.trigger.stream}, started as ${on.key}, has ended`;
      case 'operator':
        return actText(on.act, on.key);
      case 'cancel':
        return `cancelled: ${on.reason}`;
      case 'migrated':
        return `goes on with version ${on.to} of its definition, after version ${on.from}`;
      case 'taken_up':
        return 'looked at what is due';
      default:
        return unknownText(on);
    }
  }

  #consequence(one: Consequence): string {
    switch (one.kind) {
      case 'attempt': {
        const key = effectText(one.key);
        const by = one.activity === one.key ? '' : ` by ${one.activity}`;
        return `attempt ${one.attempt} of ${key}${by}${valueText(one.input)}`;
      }
      case 'timer':
        return this.#timerSet(one);
      case 'timer_cancelled':
        return `${one.key} is no longer waited for`;
      case 'received':
        return `${one.key}: ${one.type} has come`;
      case 'child':
        return `starts ${one.saga}-${one.id} as ${one.key}${one.detached === true ? ', without waiting for it' : ''}`;
      case 'abandoned':
        return `gives up ${one.key}${one.undo === undefined ? '' : ', which may have happened: it is undone'}`;
      case 'compensating':
        return `compensating: ${failureText(one.failure)}`;
      case 'stuck':
        return stuckText(one);
      case 'ended':
        return one.outcome === 'completed'
          ? `completed${valueText(one.result)}`
          : `compensated: ${failureText(one.failure)}`;
      default:
        return unknownText(one);
    }
  }

  #timerSet({ key, at, for: purpose, type }: Extract<Consequence, { readonly kind: 'timer' }>): string {
    const time = this.#timeText(at);
    switch (purpose) {
      case 'retry':
        return `${effectText(key)} will be tried again at ${time}`;
      case 'wait':
        return `waits for ${type ?? key} until ${time}`;
      case 'sleep':
        return `${key} is to be over at ${time}`;
      default:
        return purpose satisfies never;
    }
  }
}

function startText({ version, input, trigger, parent }: Extract<Occurrence, { readonly kind: 'started' }>): string {
  const of = version === 1 ? '' : `, on version ${version} of its definition`;
  if (trigger !== undefined) return `started by ${trigger.type} of ${trigger.stream}${of}`;
  const by = parent === undefined ? '' : ` by ${parent.saga}-${parent.id} as ${parent.key}`;
  return `started${by}${of}${valueText(input)}`;
}

function actText(act: Resolution, key: string | undefined): string {
  const effect = key === undefined ? 'what it is stuck at' : effectText(key);
  switch (act.kind) {
    case 'retry':
      return `has ${effect} tried again`;
    case 'skip':
      return `has ${effect} passed over: ${act.reason}`;
    case 'resolve':
      return `says that ${effect} is done${valueText(act.result)}${act.reason === undefined ? '' : `: ${act.reason}`}`;
    default:
      return unknownText(act);
  }
}

/** Behind what it belongs to; nothing where it says nothing. */
function valueText(value: unknown): string {
  return value === undefined || value === null ? '' : ` ${jsonText(value)}`;
}

function resultText(result: unknown): string {
  return isCommandResult(result) ? ` (${eventsText(result.eventCount)})` : valueText(result);
}

/** As the engine records it. */
function isCommandResult(result: unknown): result is CommandResult {
  const { eventCount, version, ...rest } = (result ?? {}) as Partial<CommandResult>;
  return typeof eventCount === 'number' && typeof version === 'number' && Object.keys(rest).length === 0;
}

/** Of a newer version. */
function unknownText(value: never): string {
  return jsonText(value);
}
