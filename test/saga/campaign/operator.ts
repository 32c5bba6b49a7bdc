/** Someone who looks after instances that are stuck: asks the world how things stand, and then does whatever fits, at random. */
import type { EffectProgress, Engine, SagaHandle } from 'eventsrc';
import { plannedEffects, itemOf, ledger } from './trips.ts';
import type { Plan } from './plan.ts';
import type { World } from './world.ts';

export interface Operation {
  readonly handle: SagaHandle;
  readonly plan: Plan;
  readonly world: World;
  readonly random: () => number;
  /** Items of which it can be said again how they are undone. */
  readonly corrected: Set<string>;
  /** From where commands are executed. */
  readonly desk: Engine;
}

const actor = 'the operator';

export async function operate(operation: Operation): Promise<void> {
  const { handle, plan, corrected } = operation;
  const { stuck, effects, status } = await handle.state();
  if (status !== 'stuck' || stuck === undefined) return;
  if (stuck.key === undefined) {
    // What fails is the definition.
    for (const one of plannedEffects(plan).values()) corrected.add(itemOf(plan, one));
    if (operation.random() < 0.3) await handle.cancel('it was wrong', { actor });
    else await handle.retry({ actor });
    return;
  }
  const effect = effects[stuck.key];
  // What undoes it is not known.
  if (effect === undefined) await byHand(operation, stuck.key);
  else if (effect.kind === 'command') await unlock(operation, stuck.key);
  else await ask(operation, stuck.key, effect);
}

async function byHand({ handle, plan, world, random }: Operation, key: string): Promise<void> {
  world.undoByHand(`${plan.name}/${key.slice(1)}`);
  if (random() < 0.5) await handle.skip('done by hand', { key, actor });
  else await handle.resolve({ receipt: 'by hand' }, { key, actor });
}

/** It is known that a command did nothing. */
async function unlock({ handle, plan, random, desk }: Operation, key: string): Promise<void> {
  await desk.execute(ledger.commands.unlock('south', {}));
  if (random() < 0.6) {
    await handle.retry({ key, actor });
    return;
  }
  await desk.execute(ledger.commands.strike('south', { item: `${plan.name}/${key.slice(1)}` }));
  if (random() < 0.5) await handle.skip('struck by hand', { key, actor });
  else await handle.resolve({ eventCount: 1, version: 0 }, { key, actor });
}

/** Whatever is still on its way under its key is made sure of first. */
async function ask(operation: Operation, key: string, { generation }: EffectProgress): Promise<void> {
  const { handle, world, random } = operation;
  const idempotencyKey = `${handle.stream}/${key}${generation === 1 ? '' : `/${generation}`}`;
  world.disown(idempotencyKey);
  if (world.wasDone(idempotencyKey)) {
    await handle.resolve({ receipt: 'it was done' }, { key, actor });
    return;
  }
  if (random() < 0.6) {
    await handle.retry({ key, actor });
    return;
  }
  await byHand(operation, key);
}
