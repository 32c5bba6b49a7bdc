/**
 * The sagas of the campaign: they do what a plan says. `trip` and `errand` are lines of steps, `tour` is written by hand and starts on an
 * event; an errand is a child of the others.
 */
import {
  activity,
  child,
  command,
  complete,
  defineAggregate,
  defineSaga,
  fail,
  reject,
  sleep,
  steps,
  waitFor,
} from 'eventsrc';
import type {
  AnyImplementation,
  AnySaga,
  Compensating,
  Compensation,
  Effect,
  EngineOptions,
  Progressed,
} from 'eventsrc';
import { z } from 'zod';
import type { Plan, PlannedEffect, PlannedUndo } from './plan.ts';
import { effectsOf } from './plan.ts';
import { patienceMs } from './world.ts';
import type { Outside } from './world.ts';

/** Forgets nothing and suspects nothing: what is entered twice is there twice. */
export const ledger = defineAggregate({
  name: 'ledger',
  events: {
    Entered: z.object({ item: z.string() }),
    Struck: z.object({ item: z.string() }),
    Locked: z.object({}),
    Unlocked: z.object({}),
  },
  initialState: { isLocked: false },
  evolve: {
    Entered: (state) => state,
    Struck: (state) => state,
    Locked: () => ({ isLocked: true }),
    Unlocked: () => ({ isLocked: false }),
  },
  commands: {
    enter: {
      input: z.object({ item: z.string(), isRefused: z.boolean() }),
      decide: (_, { item, isRefused }) => (isRefused ? reject('refused') : [{ type: 'Entered', data: { item } }]),
    },
    strike: {
      input: z.object({ item: z.string() }),
      decide: ({ isLocked }, { item }) => (isLocked ? reject('locked') : [{ type: 'Struck', data: { item } }]),
    },
    lock: { input: z.object({}), decide: () => [{ type: 'Locked', data: {} }] },
    unlock: { input: z.object({}), decide: () => [{ type: 'Unlocked', data: {} }] },
  },
});

const item = z.object({ item: z.string() });
const receipt = z.object({ receipt: z.string() });

/** @param timeoutMs of an attempt. */
function defineActivities(timeoutMs: number) {
  const common = { input: item, output: receipt, timeoutMs };
  const charge = activity({ ...common, name: 'charge', retry: { attempts: 3, backoffMs: 1 }, concurrency: 3 });
  const book = activity({ ...common, name: 'book', retry: { attempts: 4, backoffMs: 10 } });
  const send = activity({ ...common, name: 'send', retry: { attempts: 1 } });
  const revoke = activity({ ...common, name: 'revoke', retry: { attempts: 4, backoffMs: 1 } });
  return { charge, book, send, revoke } as const;
}

export function implementations(outside: Outside): readonly AnyImplementation[] {
  const does =
    (kind: 'do' | 'undo') => (input: { readonly item: string }, context: { readonly idempotencyKey: string }) =>
      outside.call({ kind, item: input.item, key: context.idempotencyKey });
  const reconcile = (_: unknown, { idempotencyKey }: { readonly idempotencyKey: string }) =>
    outside.ask(idempotencyKey);
  const { charge, book, send, revoke } = defineActivities(patienceMs);
  return [
    charge.implement(does('do'), { reconcile }),
    book.implement(does('do')),
    send.implement(does('do')),
    revoke.implement(does('undo')),
  ];
}

/** Names what an effect does, all over the world. */
export function itemOf(plan: Pick<Plan, 'name'>, { key }: Pick<PlannedEffect, 'key'>): string {
  return `${plan.name}/${key}`;
}

const events = {
  Approved: z.object({ trip: z.string() }),
  Arrived: z.object({ trip: z.string() }),
  /** Never comes. */
  Promised: z.object({ trip: z.string() }),
  /** With a plan. */
  TourAsked: z.object({ trip: z.string(), plan: z.unknown() }),
};

interface TripState {
  readonly plan: Plan;
  /** The keys of what failed. */
  readonly failed: readonly string[];
}

const unplanned: TripState = {
  plan: { name: '', saga: 'trip', groups: [], ends: 'completing' },
  failed: [],
};

export interface TripOptions {
  /** Whether what undoes an item cannot be said for now. */
  readonly isFaulty?: (item: string) => boolean;
  /** How long an attempt may take. Default: as long as the world allows for. */
  readonly timeoutMs?: number;
}

export interface Trips extends Required<Pick<EngineOptions, 'aggregates' | 'sagas'>> {
  readonly byName: Readonly<Record<Plan['saga'], AnySaga>>;
}

export function defineTrips({ isFaulty = () => false, timeoutMs = patienceMs }: TripOptions = {}): Trips {
  const activities = defineActivities(timeoutMs);
  const undoBy = (by: PlannedUndo['by'], what: string): Compensation =>
    by === 'activity'
      ? activities.revoke('', { item: what })
      : command('', ledger.commands.strike('south', { item: what }), { retry: { attempts: 3, backoffMs: 1 } });
  const compensating = (plan: Plan, one: PlannedEffect): Compensating<unknown> => {
    const { undo } = one;
    if (undo === undefined) return {};
    const what = itemOf(plan, one);
    if (undo.given === 'data') return { compensate: undoBy(undo.by, what) };
    return {
      compensate: (result, { isUnknown }) => {
        if (undo.isFaulty === true && isFaulty(what)) throw new Error('nobody knows how to undo it');
        // What is known not to have happened need not be undone.
        return result === undefined && !isUnknown ? undefined : undoBy(undo.by, what);
      },
    };
  };
  const effectOf = (plan: Plan, one: PlannedEffect): Exclude<Effect, { readonly kind: 'complete' | 'fail' }> => {
    const { key } = one;
    switch (one.kind) {
      case 'activity':
        return activities[one.activity](key, { item: itemOf(plan, one) }, compensating(plan, one));
      case 'command': {
        const { isRefused } = one;
        const enter = ledger.commands.enter(one.ledger, { item: itemOf(plan, one), isRefused });
        return command(key, enter, compensating(plan, one));
      }
      case 'wait':
        // Also when engines are cut off again and again, and the clock is put forward each time.
        return waitFor(key, one.type, { timeoutMs: one.comes ? 60_000 : 30 });
      case 'sleep':
        return sleep(key, { ms: one.ms });
      case 'child':
        return child(key, errand, one.plan.name, one.plan, { ...compensating(plan, one), detached: one.detached });
      default:
        return one satisfies never;
    }
  };
  const line = (state: TripState, progress: Progressed) =>
    steps<TripState>(state.plan.groups.map((group) => group.map((one) => () => effectOf(state.plan, one))))(
      state,
      progress,
    );
  const common = { events, activities, initialState: unplanned, slots: 2 } as const;
  const id = ({ data }: { readonly data: { readonly trip: string } }) => data.trip;
  const errand = defineSaga({
    ...common,
    name: 'errand',
    input: z.custom<Plan>(() => true),
    evolve: (state, event): TripState => (event.type === 'started' ? { ...state, plan: event.data } : state),
    next: line,
  });
  const trip = defineSaga({
    ...common,
    name: 'trip',
    id,
    input: z.custom<Plan>(() => true),
    children: [errand],
    evolve: (state, event): TripState => (event.type === 'started' ? { ...state, plan: event.data } : state),
    next: line,
  });
  const tour = defineSaga({
    ...common,
    name: 'tour',
    startsOn: 'TourAsked',
    // The first worker may die before it has begun.
    startAt: 'first_event',
    id,
    children: [errand],
    slots: 1,
    evolve: (state, event): TripState => {
      if (event.type === 'TourAsked' && state === unplanned) return { ...state, plan: event.data.plan as Plan };
      const isFailure = event.type.endsWith('.failed') || event.type === 'wait.timed_out';
      return isFailure && 'key' in event ? { ...state, failed: [...state.failed, event.key] } : state;
    },
    next: ({ plan, failed }, { isDone }): readonly Effect[] => {
      const [last] = plan.groups.slice(-1);
      for (const group of plan.groups) {
        const wanted = group.map((one) => (failed.includes(one.key) ? (one.otherwise ?? one) : one));
        const due = wanted.filter(({ key }) => !isDone(key)).map((one) => effectOf(plan, one));
        // The end may be asked for together with what is to be done before.
        const isEnd = group === last && plan.ends === 'completing' && plan.groups.length % 2 === 0;
        if (due.length > 0) return isEnd ? [...due, complete(plan.name)] : due;
      }
      return [plan.ends === 'failing' ? fail('it was to fail') : complete(plan.name)];
    },
  });
  const byName = { trip, tour, errand };
  return { byName, sagas: Object.values(byName), aggregates: [ledger] };
}

/** What a plan asks for, by key. */
export function plannedEffects(plan: Plan): ReadonlyMap<string, PlannedEffect> {
  return new Map(effectsOf(plan).map((one) => [one.key, one]));
}
