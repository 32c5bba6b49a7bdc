import { complete } from './effect.ts';
import type { CompleteEffect, Effect, FailEffect } from './effect.ts';
import type { Progressed } from './saga.ts';

type Ending = CompleteEffect | FailEffect;
/** An effect of the state as it is by then; undefined: there is nothing to do in this case. */
type StepOf<State> = (state: State, progress: Progressed) => Exclude<Effect, Ending> | undefined;

/**
 * The usual line of steps as a `next`: each is asked for when those before it are done; those in a list, at the same time. After the
 * last one the saga is complete. Where one fails, what was done is compensated.
 *
 *     next: steps([
 *       (state) => command('create', order.commands.create(state.orderId, {}), { compensate: … }),
 *       [(state) => charge('charge', { … }, { compensate: … }), (state) => reserve('reserve', { … })],
 *       () => waitFor('packed', 'Packed', { timeoutMs: 3_600_000 }),
 *     ])
 *
 * @param options.result what the saga completes with.
 */
export function steps<State>(
  line: readonly (StepOf<State> | readonly StepOf<State>[])[],
  options: { readonly result?: (state: State, progress: Progressed) => unknown } = {},
): (state: State, progress: Progressed) => readonly Effect[] {
  return (state, progress) => {
    for (const group of line) {
      const together = typeof group === 'function' ? [group] : group;
      const due = together.flatMap((step) => step(state, progress) ?? []).filter(({ key }) => !progress.isDone(key));
      if (due.length > 0) return due;
    }
    return [complete(options.result?.(state, progress))];
  };
}
