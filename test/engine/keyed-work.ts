/** A list of commands, each with a key, that is the same for the same seed; and what a run of each, once, leads to. */
import type { AggregateCommand } from 'eventsrc';
import { account } from '../command/account.ts';
import { seededRandom } from '../support/random.ts';

export interface KeyedCommand {
  readonly key: string;
  readonly id: string;
  readonly command: AggregateCommand;
}

const { open, deposit, withdraw } = account.commands;

/** Commands by account: those of one account are to be done in order. */
export function keyedWork(seed: number, perAccount: number): readonly (readonly KeyedCommand[])[] {
  const random = seededRandom(seed);
  return ['a', 'b', 'c', 'd', 'e'].map((id) =>
    Array.from({ length: perAccount }, (_, index) => {
      const die = random();
      const amount = 1 + Math.floor(random() * 20);
      const command =
        die < 0.1 ? open(id, { owner: 'Ada' }) : die < 0.5 ? deposit(id, { amount }) : withdraw(id, { amount });
      return { key: `${id}-${index}`, id, command };
    }),
  );
}

/** Of each account, written down without the engine: its state, and how many events it has. */
export function expectedStates(
  work: readonly (readonly KeyedCommand[])[],
): readonly { readonly id: string; readonly open: boolean; readonly balance: number; readonly version: number }[] {
  return work.map((commands) => {
    const state = { id: commands[0]?.id ?? '', open: false, balance: 0, version: 0 };
    for (const { command } of commands) {
      const { amount = 0 } = command.input as { amount?: number };
      if (command.command === 'open' ? state.open : command.command === 'withdraw' && amount > state.balance) continue;
      state.version += 1;
      if (command.command === 'open') state.open = true;
      else state.balance += command.command === 'deposit' ? amount : -amount;
    }
    return state;
  });
}
