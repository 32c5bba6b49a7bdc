/** What a saga of the campaign is to do: data, so that one definition does them all, in whatever process. */
import { seededRandom } from '../../support/random.ts';

/** How an effect is undone: by an effect, or by what a function makes of its result; an activity or a command. */
export interface PlannedUndo {
  readonly given: 'data' | 'function';
  readonly by: 'activity' | 'command';
  /** Whether its function throws until somebody has corrected it. */
  readonly isFaulty?: boolean;
}

interface PlannedFields {
  /** Of the effect; with the name of its saga it names what is done. */
  readonly key: string;
  readonly undo?: PlannedUndo;
  /** What is done instead should it fail; only by who is written by hand. */
  readonly otherwise?: PlannedEffect;
}

export type PlannedEffect = PlannedFields &
  (
    | { readonly kind: 'activity'; readonly activity: 'charge' | 'book' | 'send' }
    | { readonly kind: 'command'; readonly ledger: string; readonly isRefused: boolean }
    | { readonly kind: 'wait'; readonly type: 'Approved' | 'Arrived' | 'Promised'; readonly comes: boolean }
    | { readonly kind: 'sleep'; readonly ms: number }
    | { readonly kind: 'child'; readonly plan: Plan; readonly detached: boolean }
  );

export interface Plan {
  /** Of its instance. */
  readonly name: string;
  readonly saga: 'trip' | 'tour' | 'errand';
  /** One after another; what is in one at the same time. */
  readonly groups: readonly (readonly PlannedEffect[])[];
  readonly ends: 'completing' | 'failing';
}

const ledgers: readonly string[] = ['north', 'south', 'west'];

type Random = () => number;

/** A plan of 3 to 10 effects. */
export function randomPlan(seed: number, name: string, saga: Plan['saga'] = 'trip'): Plan {
  return new Planner(seededRandom(seed)).plan(name, saga);
}

class Planner {
  readonly #random: Random;
  #keys = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  plan(name: string, saga: Plan['saga']): Plan {
    const count = saga === 'errand' ? 1 + this.#upTo(3) : 3 + this.#upTo(8);
    const groups: PlannedEffect[][] = [];
    for (let left = count; left > 0;) {
      const size = this.#chance(0.3) ? Math.min(left, 2 + this.#upTo(2)) : 1;
      groups.push(Array.from({ length: size }, () => this.#effect(name, saga)));
      left -= size;
    }
    const isFailing = saga !== 'trip' && this.#chance(0.15);
    return { name, saga, groups, ends: isFailing && saga === 'tour' ? 'failing' : 'completing' };
  }

  #effect(name: string, saga: Plan['saga']): PlannedEffect {
    const effect = this.#withoutOtherwise(name, saga);
    if (saga !== 'tour' || !this.#chance(0.3)) return effect;
    return { ...effect, otherwise: this.#withoutOtherwise(name, saga) };
  }

  #withoutOtherwise(name: string, saga: Plan['saga']): PlannedEffect {
    const key = `${++this.#keys}`;
    const chance = this.#random();
    if (chance < 0.45) {
      const activity = this.#oneOf(['charge', 'charge', 'book', 'book', 'send'] as const);
      return { kind: 'activity', key: `${activity}-${key}`, activity, ...this.#undo() };
    }
    if (chance < 0.75) {
      const ledger = this.#oneOf(ledgers);
      return { kind: 'command', key: `enter-${key}`, ledger, isRefused: this.#chance(0.05), ...this.#undo() };
    }
    if (chance < 0.83) return { kind: 'sleep', key: `sleep-${key}`, ms: 1 + this.#upTo(5) };
    if (chance < 0.92 || saga === 'errand') {
      const type = this.#oneOf(['Approved', 'Arrived'] as const);
      const comes = this.#chance(0.85);
      return { kind: 'wait', key: `wait-${key}`, type: comes ? type : 'Promised', comes };
    }
    const plan = this.plan(`${name}.${key}`, 'errand');
    return { kind: 'child', key: `child-${key}`, plan, detached: this.#chance(0.2), ...this.#undo() };
  }

  #undo(): { readonly undo?: PlannedUndo } {
    if (this.#chance(0.15)) return {};
    const by = this.#chance(0.6) ? 'activity' : 'command';
    if (this.#chance(0.5)) return { undo: { given: 'data', by } };
    return { undo: { given: 'function', by, ...(this.#chance(0.05) && { isFaulty: true }) } };
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #upTo(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #oneOf<One>(all: readonly One[]): One {
    return all[this.#upTo(all.length)] as One;
  }
}

/** All that a plan may ask for, what is asked for otherwise among them. */
export function effectsOf({ groups }: Plan): readonly PlannedEffect[] {
  return groups.flat().flatMap((one) => (one.otherwise === undefined ? [one] : [one, one.otherwise]));
}

/** A plan, and those of the children that it may start, and of theirs. */
export function withChildren(plan: Plan): readonly Plan[] {
  const children = effectsOf(plan).flatMap((one) => (one.kind === 'child' ? [one.plan] : []));
  return [plan, ...children.flatMap(withChildren)];
}
