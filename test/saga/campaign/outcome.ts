/** Whether what an instance has left behind, in the world and in the ledgers, is one of the outcomes that its plan allows. */
import type { EventLog } from 'eventsrc';
import type { Occurrence, Step, TimerPurpose, Trigger } from '../../../src/saga/step.ts';
import type { Plan, PlannedEffect } from './plan.ts';
import { effectsOf } from './plan.ts';
import { itemOf } from './trips.ts';
import type { Call, World } from './world.ts';

interface LedgerEntry {
  readonly type: string;
  readonly item: string;
}

/** What is known when all is over. */
export interface Aftermath {
  /** By the world, in order. */
  readonly deeds: readonly Call[];
  /** Of all ledgers, in order. */
  readonly entries: readonly LedgerEntry[];
  /** The steps of each instance that was started, by its name. */
  readonly steps: ReadonlyMap<string, readonly Step[]>;
}

export async function aftermathOf(log: EventLog, { deeds }: World): Promise<Aftermath> {
  const entries: LedgerEntry[] = [];
  const steps = new Map<string, Step[]>();
  for await (const page of log.read()) {
    for (const { type, data, aggregate, aggregateId } of page) {
      if (aggregate === 'ledger') entries.push({ type, item: (data as { readonly item?: string }).item ?? '' });
      if (type !== '$saga_step') continue;
      const before = steps.get(aggregateId) ?? [];
      steps.set(aggregateId, [...before, data as Step]);
    }
  }
  return { deeds: [...deeds], entries, steps };
}

/** How often which things happened and followed. */
export function tallyOf({ steps }: Aftermath): ReadonlyMap<string, number> {
  const words = [...steps.values()]
    .flat()
    .flatMap(({ on, follows = [] }) => [
      on.kind === 'operator' ? on.act.kind : on.kind === 'failed' && on.unknown === true ? 'unknown' : on.kind,
      ...follows.map((one) => (one.kind === 'ended' ? one.outcome : one.kind)),
    ]);
  return new Map([...Map.groupBy(words, (word) => word)].map(([word, { length }]) => [word, length]));
}

/** What is wrong with an instance; nothing, if nothing is. */
export function faultsOf(plan: Plan, aftermath: Aftermath): readonly string[] {
  const steps = aftermath.steps.get(plan.name);
  if (steps === undefined) return [];
  return new Judge(plan, steps, aftermath).judge();
}

class Judge {
  readonly #plan: Plan;
  readonly #aftermath: Aftermath;
  readonly #steps: readonly Step[];
  /** Effects that were begun; and those that ended, in that order. */
  readonly #begun = new Set<string>();
  readonly #over: string[] = [];
  readonly #failed = new Set<string>();
  readonly #completed = new Set<string>();
  readonly #undone: string[] = [];
  readonly #timers = new Map<string, TimerPurpose>();
  readonly #faults: string[] = [];

  constructor(plan: Plan, steps: readonly Step[], aftermath: Aftermath) {
    this.#plan = plan;
    this.#aftermath = aftermath;
    this.#steps = steps;
    for (const step of steps) this.#follow(step);
  }

  #follow({ on, follows = [] }: Step): void {
    this.#happened(on);
    for (const one of follows) {
      if (one.kind === 'attempt' || one.kind === 'child') this.#begun.add(one.key);
      if (one.kind === 'timer') this.#timers.set(one.key, one.for);
      if (one.kind === 'received' || (one.kind === 'child' && one.detached === true)) this.#end(one.key, 'completed');
      if (one.kind === 'abandoned') this.#end(one.key, 'failed');
    }
  }

  #happened(on: Occurrence): void {
    if (on.kind === 'completed') this.#end(on.key, 'completed');
    if (on.kind === 'failed') {
      this.#begun.add(on.key);
      if (on.final) this.#end(on.key, 'failed');
    }
    if (on.kind === 'timer') {
      const purpose = this.#timers.get(on.key);
      if (purpose !== 'retry') this.#end(on.key, purpose === 'sleep' ? 'completed' : 'failed');
    }
    if (on.kind === 'child') {
      const end = on.trigger.data as { readonly outcome: string };
      this.#end(on.key, end.outcome === 'completed' ? 'completed' : 'failed');
    }
    if (on.kind === 'operator' && on.key !== undefined && on.act.kind !== 'retry') this.#end(on.key, 'completed');
  }

  #end(key: string, how: 'completed' | 'failed'): void {
    this.#begun.add(key);
    if (this.#over.includes(key) || this.#undone.includes(key.slice(1))) this.#fault(`${key} ended twice`);
    (how === 'completed' ? this.#completed : this.#failed).add(key);
    if (!key.startsWith('~')) this.#over.push(key);
    else if (how === 'completed') this.#undone.push(key.slice(1));
  }

  judge(): readonly string[] {
    this.#checkTimers();
    this.#checkAttempts();
    this.#checkArrivals();
    const ends = this.#steps.flatMap(({ follows = [] }) => follows.filter(({ kind }) => kind === 'ended'));
    const [end] = ends;
    if (ends.length !== 1 || end?.kind !== 'ended' || this.#steps.at(-1)?.follows?.at(-1) !== end)
      this.#fault(`it ended ${ends.length} times, and that is not the last of it`);
    else if (end.outcome === 'completed') this.#checkCompleted();
    else this.#checkCompensated();
    return this.#faults;
  }

  #fault(fault: string): void {
    this.#faults.push(`${this.#plan.name}: ${fault}`);
  }

  /** Each fires at most once, and not before its time. */
  #checkTimers(): void {
    const pending = new Map<string, number>();
    for (const { on, follows = [], at } of this.#steps) {
      if (on.kind === 'timer') {
        if ((pending.get(on.key) ?? Infinity) > at) this.#fault(`the timer of ${on.key} fired out of turn`);
        pending.delete(on.key);
      }
      for (const one of follows) {
        if (one.kind === 'timer') pending.set(one.key, one.at);
        if (one.kind === 'timer_cancelled' || one.kind === 'received') pending.delete(one.key);
      }
    }
  }

  /** One after another, each when what became of the one before is known, or that nobody knows. */
  #checkAttempts(): void {
    const underWay = new Map<string, number>();
    const before = new Map<string, number>();
    for (const { on, follows = [] } of this.#steps) {
      if (on.kind === 'completed' || on.kind === 'failed' || on.kind === 'lost') underWay.delete(on.key);
      for (const one of follows) {
        if (one.kind !== 'attempt') continue;
        const { key, attempt } = one;
        if (underWay.has(key) || attempt !== (before.get(key) ?? 0) + 1) this.#fault(`attempt ${attempt} at ${key}`);
        underWay.set(key, attempt);
        before.set(key, attempt);
      }
    }
  }

  /** Nothing comes in twice, or before what is behind it. */
  #checkArrivals(): void {
    const seen = new Set<string>();
    let last: Pick<Trigger, 'recordedAt' | 'position'> = { recordedAt: 0, position: 0 };
    for (const { on } of this.#steps) {
      const trigger = 'trigger' in on ? on.trigger : undefined;
      const id = on.kind === 'signal' ? `signal ${on.id}` : trigger?.id;
      if (id === undefined) continue;
      if (seen.has(id)) this.#fault(`${id} came twice`);
      seen.add(id);
      if (trigger === undefined) continue;
      const ms = trigger.recordedAt - last.recordedAt;
      if (ms < 0 || (ms === 0 && trigger.position <= last.position))
        this.#fault(`the event at ${trigger.position} came behind the one at ${last.position}`);
      last = trigger;
    }
  }

  #checkCompleted(): void {
    for (const one of this.#plan.groups.flat()) {
      const isReplaced = one.otherwise !== undefined && this.#failed.has(one.key);
      if (!isReplaced) this.#checkDone(one);
      else if (one.otherwise !== undefined) this.#checkDone(one.otherwise);
    }
    for (const one of effectsOf(this.#plan)) {
      this.#checkAtMostOnce(one);
      if (this.#timesUndone(one) > 0) this.#fault(`${one.key} was undone although it completed`);
    }
    if (this.#plan.ends === 'failing') this.#fault('it completed although it was to fail');
    this.#checkGroups();
  }

  #checkDone(one: PlannedEffect): void {
    const isDone = this.#completed.has(one.key);
    if (!isDone || this.#timesDone(one) !== 1)
      this.#fault(`${one.key} was done ${this.#timesDone(one)} times, and is ${isDone ? '' : 'not '}completed`);
  }

  /** What is in a group has ended before the next begins. */
  #checkGroups(): void {
    const places = this.#plan.groups.map((group) =>
      group.flatMap((one) => {
        const keys = [one.key, one.otherwise?.key].map((key) => (key === undefined ? -1 : this.#over.indexOf(key)));
        return keys.filter((place) => place !== -1);
      }),
    );
    for (const [index, group] of places.entries())
      if (Math.max(...group) > Math.min(...(places[index + 1] ?? [Infinity])))
        this.#fault(`group ${index + 2} was begun before the one before it was done`);
  }

  #checkCompensated(): void {
    const isCancelled = this.#steps.some(({ on }) => on.kind === 'cancel');
    if (!isCancelled && this.#failed.size === 0 && this.#plan.ends === 'completing')
      this.#fault('it failed for nothing');
    for (const one of effectsOf(this.#plan)) {
      this.#checkAtMostOnce(one);
      this.#checkUndone(one);
    }
    // In the reverse of the order in which they ended, in the record and in the world.
    const undone = new Set(this.#undone);
    const wanted = this.#over.filter((key) => undone.has(key)).toReversed();
    this.#checkOrder('undone', wanted, this.#undone);
    const { deeds, entries } = this.#aftermath;
    const revoked = deeds.filter(({ kind }) => kind === 'undo').map(({ item }) => item);
    const struck = entries.filter(({ type }) => type === 'Struck').map(({ item }) => item);
    for (const [what, items] of Object.entries({ revoked, struck })) {
      const keys = items.flatMap((item) => effectsOf(this.#plan).filter((one) => itemOf(this.#plan, one) === item));
      const seen = keys.map(({ key }) => key);
      const inTurn = wanted.filter((key) => seen.includes(key));
      this.#checkOrder(what, inTurn, seen);
    }
  }

  #checkOrder(what: string, wanted: readonly string[], seen: readonly string[]): void {
    if (wanted.join() !== seen.join()) this.#fault(`${what} in the order ${seen.join()}, not ${wanted.join()}`);
  }

  #checkUndone(one: PlannedEffect): void {
    const [done, undone] = [this.#timesDone(one), this.#timesUndone(one)];
    if (one.undo === undefined || one.kind === 'wait' || one.kind === 'sleep') {
      if (undone > 0) this.#fault(`${one.key} was undone ${undone} times, and has no compensation`);
      return;
    }
    if (done > 0) {
      if (undone !== 1) this.#fault(`${one.key} was done, and undone ${undone} times`);
      return;
    }
    // Nobody may have known whether it was done; of commands that is always known.
    const isAllowed = one.kind !== 'command' && this.#failed.has(one.key);
    if (undone > (isAllowed ? 1 : 0)) this.#fault(`${one.key} was undone ${undone} times, and never done`);
  }

  #checkAtMostOnce(one: PlannedEffect): void {
    const times = this.#timesDone(one);
    if (times > 1) this.#fault(`${one.key} was done ${times} times`);
    if (times > 0 && !this.#begun.has(one.key)) this.#fault(`${one.key} was done, and never begun`);
  }

  #timesDone(one: PlannedEffect): number {
    const item = itemOf(this.#plan, one);
    const { deeds, entries } = this.#aftermath;
    switch (one.kind) {
      case 'activity':
        return deeds.filter((deed) => deed.kind === 'do' && deed.item === item).length;
      case 'command':
        return entries.filter((entry) => entry.type === 'Entered' && entry.item === item).length;
      case 'wait':
      case 'sleep':
        return this.#completed.has(one.key) ? 1 : 0;
      case 'child': {
        if (one.detached) return this.#begun.has(one.key) ? 1 : 0;
        const last = this.#aftermath.steps.get(one.plan.name)?.at(-1)?.follows?.at(-1);
        return last?.kind === 'ended' && last.outcome === 'completed' ? 1 : 0;
      }
      default:
        return one satisfies never;
    }
  }

  #timesUndone(one: PlannedEffect): number {
    const item = itemOf(this.#plan, one);
    const { deeds, entries } = this.#aftermath;
    const revoked = deeds.filter((deed) => deed.kind === 'undo' && deed.item === item);
    const struck = entries.filter((entry) => entry.type === 'Struck' && entry.item === item);
    return revoked.length + struck.length;
  }
}
