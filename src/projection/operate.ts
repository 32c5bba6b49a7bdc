/** What an operator can do about consumers: by asking whoever works on them. */
import { EngineError } from '../ground/errors.ts';
import { Build } from './build.ts';
import { parkedOf } from './parking.ts';
import type { Parked } from './parking.ts';
import type { AnyConsumer } from './registry.ts';
import type { Site } from './site.ts';
import { changeSlot, slotStates } from './slot.ts';
import type { SlotRequest, SlotState } from './slot.ts';

/** Events that are parked, in the order of keys and positions. */
export async function* parkedEvents(site: Site, consumer: AnyConsumer): AsyncGenerator<Parked> {
  yield* parkedOf(site.state, await slotsOf(site, consumer));
}

/** Lets every slot that stands still try again. @throws {EngineError} `consumer_refused` if none does. */
export async function retry(site: Site, consumer: AnyConsumer, actor: string | undefined): Promise<void> {
  const asked = await ask(site, consumer, ({ fault }) => (fault === undefined ? undefined : { kind: 'retry', actor }));
  if (asked === 0) throw refused(consumer, 'none of its slots stands still');
}

/** Lets the slot that stands still at this position go on behind it. @throws {EngineError} `consumer_refused` if none does. */
export async function skip(
  site: Site,
  consumer: AnyConsumer,
  position: number,
  { reason, actor }: { readonly reason: string; readonly actor?: string | undefined },
): Promise<void> {
  if (typeof reason !== 'string' || reason === '')
    throw new EngineError('option_invalid', { option: 'reason', value: reason, expected: 'a sentence that says why' });
  const asked = await ask(site, consumer, ({ fault }) =>
    fault?.position === position ? { kind: 'skip', position, reason, actor } : undefined,
  );
  if (asked === 0) throw refused(consumer, `none of its slots stands still at position ${position}`);
}

/** Lets what is parked be dealt with: of one key, or of all. */
export async function unpark(
  site: Site,
  consumer: AnyConsumer,
  { key, actor }: { readonly key?: string | undefined; readonly actor?: string | undefined },
): Promise<void> {
  await ask(site, consumer, () => ({ kind: 'unpark', key, actor }));
}

/** Of the generation that serves, and of the one that is being built. */
async function slotsOf(site: Site, consumer: AnyConsumer): Promise<readonly string[]> {
  const { registration, build } = await site.current(consumer);
  const { building } = registration;
  return building > 0 ? [...build.slots, ...new Build(consumer, building).slots] : build.slots;
}

const requestsMax = 100;

/** @returns how many slots were asked. */
async function ask(
  site: Site,
  consumer: AnyConsumer,
  request: (state: SlotState) => SlotRequest | undefined,
): Promise<number> {
  let asked = 0;
  for (const slot of await slotsOf(site, consumer)) {
    let isAsked = false;
    await changeSlot(site.registry.control, slot, (state) => {
      const wanted = request(state);
      isAsked = wanted !== undefined;
      if (isAsked && state.requests.length >= requestsMax)
        throw refused(consumer, `${requestsMax} requests wait already, and nobody works on it`);
      return wanted && { ...state, requests: [...state.requests, wanted] };
    });
    asked += Number(isAsked);
  }
  return asked;
}

/** Resolves once everything that was asked of its slots has been done. @throws the signal's reason, when aborted. */
export async function obeyed(site: Site, consumer: AnyConsumer, signal: AbortSignal): Promise<void> {
  const { control } = site.registry;
  for (;;) {
    const rings = await control.count();
    const states = await slotStates(control, await slotsOf(site, consumer));
    if (states.every(({ requests }) => requests.length === 0)) return;
    await control.changed(rings, signal);
  }
}

function refused({ name: consumer }: AnyConsumer, reason: string): EngineError {
  return new EngineError('consumer_refused', { consumer, reason });
}
