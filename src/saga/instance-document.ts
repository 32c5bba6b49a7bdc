/** The view of instances: what is under way, what is due, what is stuck. A fold of their steps; those that have ended are not in it. */
import type { Json } from '../event/json.ts';
import { endOf } from './step.ts';
import type { Consequence, Failure, Occurrence, Step } from './step.ts';

export interface InstanceDocument {
  readonly id: string;
  readonly slot: number;
  /** Of its first step, or of the event that it began with: what is before that is none of its. */
  readonly position: number;
  /** Of the definition that it runs on. */
  readonly version: number;
  readonly status: 'running' | 'compensating' | 'stuck';
  /** Whether something is under way or due. */
  readonly isBusy: boolean;
  /** When the next timer fires, in ms since the epoch. */
  readonly dueAt?: number;
  readonly timers: Readonly<Record<string, number>>;
  readonly startedAt: number;
  readonly changedAt: number;
  /** Why it is compensated. */
  readonly failure?: Failure;
  readonly stuck?: { readonly key?: string; readonly failure: Failure };
  /** Of the last step. */
  readonly streamVersion: number;
}

/** How it is found. */
export const instanceIndexes: readonly (readonly string[])[] = [
  ['slot', 'dueAt'],
  ['slot', 'isBusy'],
  ['status', 'startedAt'],
  ['version'],
];

/** Where a step happened. */
export interface StepPlace {
  readonly id: string;
  readonly slot: number;
  readonly version: number;
  readonly position: number;
}

/** @returns null for one that has ended. */
export function foldInstance(
  before: InstanceDocument | null,
  step: Step,
  { id, slot, version, position }: StepPlace,
): InstanceDocument | null {
  if (endOf(step) !== undefined) return null;
  const { on, follows = [], rests = false } = step;
  const begun: InstanceDocument = before ?? {
    id,
    slot,
    position,
    version: on.kind === 'started' ? on.version : 0,
    status: 'running',
    isBusy: true,
    timers: {},
    startedAt: step.at,
    changedAt: step.at,
    streamVersion: version,
  };
  // What the view has seen is not taken in again.
  if (before !== null && before.streamVersion >= version) return before;
  const { dueAt: _, ...kept } = happened(begun, on);
  const followed = follows.reduce<Omit<InstanceDocument, 'dueAt'>>(follow, kept);
  const next = Math.min(...Object.values(followed.timers));
  return {
    ...followed,
    isBusy: !rests,
    changedAt: step.at,
    streamVersion: version,
    ...(next < Infinity && { dueAt: next }),
  };
}

/** As it is kept. */
export function instanceValue(document: InstanceDocument): Json {
  return document as unknown as Json;
}

function happened(document: InstanceDocument, on: Occurrence): InstanceDocument {
  switch (on.kind) {
    case 'timer':
      return { ...document, timers: without(document.timers, on.key) };
    case 'cancel':
      return compensating(document, { code: 'cancelled', message: on.reason });
    case 'operator':
    case 'event':
    case 'signal': {
      if (document.status !== 'stuck') return document;
      if (on.kind !== 'operator' && document.stuck?.key !== undefined) return document;
      const { stuck: _, ...rest } = document;
      return { ...rest, status: document.failure === undefined ? 'running' : 'compensating' };
    }
    case 'migrated':
      return { ...document, version: on.to };
    case 'started':
    case 'completed':
    case 'failed':
    case 'lost':
    case 'child':
    case 'taken_up':
      return document;
    default:
      on satisfies never;
      return document;
  }
}

function follow(document: Omit<InstanceDocument, 'dueAt'>, consequence: Consequence): Omit<InstanceDocument, 'dueAt'> {
  switch (consequence.kind) {
    case 'timer':
      return { ...document, timers: { ...document.timers, [consequence.key]: consequence.at } };
    case 'timer_cancelled':
    case 'received':
    case 'abandoned':
      return { ...document, timers: without(document.timers, consequence.key) };
    case 'compensating':
      return compensating(document, consequence.failure);
    case 'stuck': {
      const { key, failure } = consequence;
      return { ...document, status: 'stuck', stuck: { ...(key !== undefined && { key }), failure: shown(failure) } };
    }
    case 'attempt':
    case 'child':
    case 'ended':
      return document;
    default:
      consequence satisfies never;
      return document;
  }
}

function compensating<Doc extends Omit<InstanceDocument, 'dueAt'>>(document: Doc, failure: Failure): Doc {
  const { stuck: _, ...rest } = document;
  return { ...rest, status: 'compensating', failure: shown(failure) } as Doc;
}

/** An event may hold a NUL character, a document may not: one instance would keep the view of all others from being written. */
function shown({ code, message, details }: Failure): Failure {
  const plain = { code: withoutNul(code), message: withoutNul(message) };
  const isKept = details !== undefined && !JSON.stringify(details).includes(String.raw`\u0000`);
  return isKept ? { ...plain, details } : plain;
}

function withoutNul(text: string): string {
  return text.replaceAll('\0', '\ufffd');
}

function without(timers: InstanceDocument['timers'], key: string): InstanceDocument['timers'] {
  const { [key]: _, ...rest } = timers;
  return rest;
}
