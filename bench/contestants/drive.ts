import type { Budget, Measurement } from './contestant.ts';

/** How a workload arrives. */
export interface Load {
  /** Callers, each of which waits for its append before it makes the next. */
  readonly inFlight: number;
  readonly eventsPerAppend: number;
}

/** Appends from several callers at once until the budget is used up. */
export async function drive(
  append: (caller: number) => Promise<void>,
  { inFlight, eventsPerAppend }: Load,
  { eventsMax, secondsMax }: Budget,
): Promise<Measurement> {
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + secondsMax * 1_000;
  let appendsLeft = Math.ceil(eventsMax / eventsPerAppend);
  const call = async (caller: number) => {
    for (let calledAt = performance.now(); appendsLeft > 0 && calledAt < endsAt;) {
      appendsLeft -= 1;
      await append(caller);
      const answeredAt = performance.now();
      latenciesMs.push(answeredAt - calledAt);
      calledAt = answeredAt;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, caller) => call(caller)));
  const seconds = (performance.now() - startedAt) / 1_000;
  return { events: latenciesMs.length * eventsPerAppend, seconds, latenciesMs, failures: 0 };
}
