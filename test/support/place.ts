/** Where a test keeps a store that other processes open, too: a file or a schema, as arguments of a program. */
import { join } from 'node:path';
import { defaultLimits } from 'eventsrc';
import type { Backend, StateStore } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import { sqlite } from 'eventsrc/sqlite';

/** `['sqlite', file]` or `['postgres', url, schema]`. */
export type Place = readonly string[];

export function backendAt([kind, address = '', schema = '']: Place): Backend {
  if (kind === 'sqlite') return sqlite(address);
  return postgres(address, { schema, partitions: 2, timeoutMs: 60_000 });
}

/** For a program: always three. */
export function placeArguments([kind = '', address = '', schema = '']: Place): readonly string[] {
  return [kind, address, schema];
}

/** New places of both kinds, for `describe.each`. */
export function bothPlaces(
  folder: string,
  newSchema: () => { readonly url: string; readonly schema: string },
): readonly (readonly ['sqlite' | 'postgres', () => Place])[] {
  let files = 0;
  return [
    ['sqlite', () => ['sqlite', join(folder, `${++files}.db`)]],
    [
      'postgres',
      () => {
        const { url, schema } = newSchema();
        return ['postgres', url, schema];
      },
    ],
  ];
}

/** Looks at the documents of a place beside whoever works there. */
export async function withState<Result>(
  backend: Backend,
  look: (state: StateStore) => Promise<Result>,
): Promise<Result> {
  const options = { clock: { now: Date.now }, limits: defaultLimits };
  const events = await backend.openEvents(options);
  try {
    const state = await backend.openState?.(events, options);
    if (state === undefined) throw new Error(`${backend.name} keeps no documents`);
    try {
      return await look(state);
    } finally {
      await state[Symbol.asyncDispose]();
    }
  } finally {
    await events[Symbol.asyncDispose]();
  }
}
