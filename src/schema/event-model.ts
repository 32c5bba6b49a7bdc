/** What a system says of itself, as plain data: its aggregates, decisions, events, views and sagas. What `eventsrc schema export` renders. */
import type { JsonSchema } from '../event/json-schema.ts';
import { compareCodePoints } from '../event/names.ts';

/** One type of event; the same type may be in the streams of several aggregates. */
export interface EventRef {
  /** The aggregate in whose streams it is; empty: of no aggregate. */
  readonly owner: string;
  readonly type: string;
}

export interface EventModel {
  readonly title: string;
  /** Of the system, for example of its package. */
  readonly version: string;
  readonly description?: string;
  /** Their events are those of `events` that they own. */
  readonly aggregates: readonly { readonly name: string; readonly commands: readonly ModelCommand[] }[];
  readonly decisions: readonly ModelDecision[];
  readonly events: readonly ModelEvent[];
  readonly views: readonly ModelView[];
  readonly sagas: readonly ModelSaga[];
}

export interface ModelCommand {
  readonly name: string;
  /** What it takes. */
  readonly input?: JsonSchema;
  /** Types of its aggregate. Default: not known, so any of them. */
  readonly emits?: readonly string[];
}

export interface ModelDecision {
  readonly name: string;
  readonly input?: JsonSchema;
  /** What it is made upon: what it does not ignore. */
  readonly reads: readonly EventRef[];
  /** All that it declares: what it reads, and what else it may emit. */
  readonly events: readonly EventRef[];
}

export interface ModelEvent extends EventRef {
  /** The version that is appended, and read by default. */
  readonly newest: number;
  /** Whether it is read as others, and appended no more. */
  readonly retired: boolean;
  /** Types of the same owner. */
  readonly readAs?: readonly string[];
  readonly versions: readonly ModelVersion[];
}

export interface ModelVersion {
  readonly version: number;
  /** Of the data that are kept. Default: its library exports none. */
  readonly schema?: JsonSchema;
  readonly fingerprint?: string;
  /** In ms since the epoch. Default: not registered yet. */
  readonly registeredAt?: number;
  /** Whether data of the version before can be read as this one. */
  readonly up: boolean;
  /** Whether data of this version can be read as the one before. */
  readonly down: boolean;
}

interface ModelView {
  readonly name: string;
  readonly version: number;
  readonly kind: 'projection' | 'tables' | 'reactor';
  /** What it does not ignore. */
  readonly handles: readonly EventRef[];
  /** Names of aggregates. */
  readonly from: readonly string[];
}

export interface ModelSaga {
  readonly name: string;
  readonly version: number;
  readonly startsOn: readonly EventRef[];
  /** All that it takes; what is none of the model's events is a signal. */
  readonly handles: readonly EventRef[];
  readonly activities: readonly string[];
  /** `aggregate.command`, or the name of a decision. Default: not known. */
  readonly commands?: readonly string[];
  /** Names of sagas. */
  readonly children: readonly string[];
}

/** The same with every list in order, so that what is rendered does not depend on who declared what first. */
export function inOrder(model: EventModel): EventModel {
  return {
    ...model,
    aggregates: byName(model.aggregates).map(({ name, commands }) => ({
      name,
      commands: byName(commands).map(({ emits, ...command }) => ({
        ...command,
        ...(emits !== undefined && { emits: sorted(emits) }),
      })),
    })),
    decisions: byName(model.decisions).map((decision) => ({
      ...decision,
      reads: refsInOrder(decision.reads),
      events: refsInOrder(decision.events),
    })),
    events: refsInOrder(model.events).map((event) => ({
      ...event,
      versions: [...event.versions].sort((a, b) => a.version - b.version),
    })),
    views: byName(model.views).map((view) => ({
      ...view,
      handles: refsInOrder(view.handles),
      from: sorted(view.from),
    })),
    sagas: byName(model.sagas).map((saga) => ({
      ...saga,
      startsOn: refsInOrder(saga.startsOn),
      handles: refsInOrder(saga.handles),
      activities: sorted(saga.activities),
      ...(saga.commands !== undefined && { commands: sorted(saga.commands) }),
      children: sorted(saga.children),
    })),
  };
}

/** A key for maps: unlike names for people, never that of another. */
export function refKey({ owner, type }: EventRef): string {
  return JSON.stringify([owner, type]);
}

function byName<Named extends { readonly name: string }>(list: readonly Named[]): readonly Named[] {
  return [...list].sort((a, b) => compareCodePoints(a.name, b.name));
}

function refsInOrder<Ref extends EventRef>(list: readonly Ref[]): readonly Ref[] {
  return [...list].sort((a, b) => compareCodePoints(a.owner, b.owner) || compareCodePoints(a.type, b.type));
}

function sorted(list: readonly string[]): readonly string[] {
  return [...list].sort(compareCodePoints);
}
