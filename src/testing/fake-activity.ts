/** Activities in tests of a whole engine: they do nothing, keep what they were asked, and answer as they are told. */
import type { Activity, ActivityContext, ActivityTypes } from '../saga/activity.ts';
import { onAbort } from '../ground/on-abort.ts';

/** One attempt. */
export interface FakeCall<Input> extends ActivityContext {
  readonly input: Input;
}

/**
 * The implementation of an activity that does nothing: `activities: [charge.implement(fake)]`. What it is told to answer so many `times`
 * is answered first, in the order in which it was told; then what it was told last without.
 */
export interface FakeActivity<Input, Returned> {
  (input: Input, context: ActivityContext): Promise<Returned>;
  /** Every attempt so far, in order. */
  readonly calls: readonly FakeCall<Input>[];
  /** @param times default: from now on. */
  succeeds(returned: Returned | ((input: Input, context: ActivityContext) => Returned), times?: number): this;
  /** Throws it: a `FinalError` is not tried again. @param times default: from now on. */
  fails(error: unknown, times?: number): this;
  /** Does not end before its signal fires: it times out, or its saga is compensated or its engine closed. @param times default: from now on. */
  hangs(times?: number): this;
  /** Resolves once there have been so many attempts. @throws the signal's reason, when aborted. */
  called(times?: number, signal?: AbortSignal): Promise<void>;
}

type Answer<Input, Returned> = (input: Input, context: ActivityContext) => Returned | Promise<Returned>;

interface Waiting {
  readonly times: number;
  readonly resolve: () => void;
}

/** A fake of an activity. Until it is told otherwise, each attempt fails. */
export function fakeActivity<Types extends ActivityTypes>(
  activity: Activity<Types>,
): FakeActivity<Types['input'], Types['returned']> {
  type Input = Types['input'];
  type Returned = Types['returned'];
  const calls: FakeCall<Input>[] = [];
  const counted: { readonly answer: Answer<Input, Returned>; left: number }[] = [];
  let lasting: Answer<Input, Returned> = () => {
    throw new Error(`The fake of ${activity.name} was not told what to answer`);
  };
  const waiting = new Set<Waiting>();

  const run = async (input: Input, context: ActivityContext): Promise<Returned> => {
    calls.push({ input, ...context });
    for (const one of waiting) if (one.times <= calls.length) one.resolve();
    const [first] = counted;
    if (first === undefined) return lasting(input, context);
    first.left -= 1;
    if (first.left === 0) counted.shift();
    return first.answer(input, context);
  };
  const answers = (answer: Answer<Input, Returned>, times: number | undefined) => {
    if (times === undefined) lasting = answer;
    else if (Number.isSafeInteger(times) && times >= 1) counted.push({ answer, left: times });
    else throw new TypeError(`${times} times: an integer of at least 1 is needed`);
    return fake;
  };
  const fake: FakeActivity<Input, Returned> = Object.assign(run, {
    calls,
    succeeds: (returned: Returned | Answer<Input, Returned>, times?: number) =>
      answers(typeof returned === 'function' ? (returned as Answer<Input, Returned>) : () => returned, times),
    fails: (error: unknown, times?: number) =>
      answers(() => {
        throw error;
      }, times),
    hangs: (times?: number) => answers((_, { signal }) => untilAborted(signal), times),
    called: async (times = 1, signal?: AbortSignal) => {
      if (calls.length >= times) return;
      signal?.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const one = { times, resolve };
      waiting.add(one);
      const leave = onAbort(signal, () => reject(signal?.reason));
      await promise.finally(() => {
        waiting.delete(one);
        leave();
      });
    },
  });
  return fake;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
