/** What must compile and what must not: checked by the type checker, which runs before the tests. */
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { openLog } from '../../src/store/log.ts';
import { memory } from '../../src/store/memory.ts';

test('types follow from the schemas', async () => {
  await using log = await openLog({
    store: memory(),
    events: {
      Opened: z.object({ owner: z.string() }),
      Deposited: z.object({ amount: z.number(), currency: z.string().default('EUR') }),
    },
  });
  await log.append([
    { stream: 'account-1', events: [{ type: 'Deposited', data: { amount: 1 } }, { type: '$deleted' }] },
  ]);

  for await (const page of log.read()) {
    for (const event of page) {
      if (event.type === 'Deposited') expectTypeOf(event.data).toEqualTypeOf<{ amount: number; currency: string }>();
      if (event.type === 'Opened') expectTypeOf(event.data.owner).toEqualTypeOf<string>();
      // @ts-expect-error no such type was declared
      if (event.type === 'Closed') throw new Error('unreachable');
    }
  }

  const never = async (): Promise<void> => {
    // @ts-expect-error a misspelt type
    await log.append([{ stream: 'account-1', events: [{ type: 'Opend', data: { owner: 'Ada' } }] }]);
    // @ts-expect-error a misspelt field
    await log.append([{ stream: 'account-1', events: [{ type: 'Opened', data: { ownr: 'Ada' } }] }]);
    // @ts-expect-error data of another type
    await log.append([{ stream: 'account-1', events: [{ type: 'Opened', data: { amount: 1 } }] }]);
    // @ts-expect-error an expected version that does not exist
    await log.append([{ stream: 'account-1', expected: 'new', events: [{ type: 'Opened', data: { owner: 'Ada' } }] }]);
    // @ts-expect-error a misspelt limit
    await openLog({ store: memory(), limits: { eventByte: 1 } });
  };
  expectTypeOf(never).toBeFunction();
});
