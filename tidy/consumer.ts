/** A user's code, for package.test.ts: compiled against the packed package by each TypeScript that we support. */
import {
  EngineError,
  copyLog,
  defaultLimits,
  defineAggregate,
  defineConfig,
  defineDecision,
  hasCode,
  memory,
  openEngine,
  openLog,
  reject,
} from 'eventsrc';
import type {
  EventLog,
  InferState,
  LogAppendResult,
  NewEvent,
  Receipt,
  RecordedEvent,
  StandardSchemaV1,
} from 'eventsrc';
import { given } from 'eventsrc/testing';

declare function schema<Value>(): StandardSchemaV1<Value, Value>;

const events = { AccountOpened: schema<{ owner: string }>(), MoneyDeposited: schema<{ amount: number }>() };
type Schemas = typeof events;

export async function open(): Promise<EventLog<Schemas>> {
  return openLog({ store: memory(), events, limits: { eventsPerAppend: defaultLimits.eventsPerAppend } });
}

export async function deposit(log: EventLog<Schemas>, id: string, amount: number): Promise<LogAppendResult> {
  const event: NewEvent<Schemas> = { type: 'MoneyDeposited', data: { amount } };
  return log.append([{ stream: `account-${id}`, expected: 'stream_exists', events: [event] }]);
}

export async function balance(log: EventLog<Schemas>, id: string, signal: AbortSignal): Promise<number> {
  let sum = 0;
  for await (const page of log.read({ stream: `account-${id}` }, signal))
    for (const event of page) sum += change(event);
  return sum;
}

function change(event: RecordedEvent<Schemas>): number {
  return event.type === 'MoneyDeposited' ? event.data.amount : 0;
}

export async function receiptOf(key: string): Promise<Receipt | undefined> {
  await using log = await open();
  return log.receipt(key);
}

export function remedyFor(error: unknown): string {
  if (hasCode(error, 'limit_exceeded')) return `${error.details.limit}: ${error.details.max}`;
  return error instanceof EngineError ? error.remedy : String(error);
}

export const account = defineAggregate({
  name: 'account',
  events,
  initialState: { open: false, balance: 0 },
  evolve: {
    AccountOpened: (state) => ({ ...state, open: true }),
    MoneyDeposited: (state, { data }) => ({ ...state, balance: state.balance + data.amount }),
  },
  commands: {
    deposit: {
      input: schema<{ amount: number }>(),
      decide: (state, { amount }) =>
        state.open ? [{ type: 'MoneyDeposited', data: { amount } }] : reject('not_open', { amount }),
    },
  },
});

const openOnce = defineDecision({
  name: 'open_once',
  events,
  input: schema<{ owner: string }>(),
  query: ({ owner }) => [{ types: ['AccountOpened'], tags: [`owner:${owner}`] }],
  initialState: 0,
  evolve: { AccountOpened: (count) => count + 1, MoneyDeposited: 'ignore' },
  decide: (count, { owner }, { newId }) =>
    count > 0
      ? reject('has_one')
      : [{ stream: account.stream(newId()), type: 'AccountOpened', data: { owner }, tags: [`owner:${owner}`] }],
});

export async function run(): Promise<InferState<typeof account>> {
  await using engine = await openEngine({ store: memory(), aggregates: [account], decisions: [openOnce] });
  const receipt = await engine.execute(account.commands.deposit('1', { amount: 1 }), { idempotencyKey: 'k' });
  if (receipt.kind === 'accepted')
    for (const event of receipt.events) if (event.type === 'MoneyDeposited') balanceOf(event.data);
  await engine.executeAll([openOnce({ owner: 'Ada' }), account.commands.deposit('1', { amount: 1 })]);
  await given(account, [{ type: 'AccountOpened', data: { owner: 'Ada' } }])
    .when(account.commands.deposit('1', { amount: 1 }))
    .thenState({ open: true, balance: 1 });
  return (await engine.load(account, '1', { at: { version: 1 } })).state;
}

function balanceOf({ amount }: { readonly amount: number }): number {
  return amount;
}

export const config = defineConfig({ store: 'sqlite:bank.db', aggregates: [account], decisions: [openOnce] });

export async function move(from: EventLog, to: EventLog): Promise<number> {
  const copied = await copyLog(from, to, { onProgress: ({ phase, done }) => void [phase, done] });
  for await (const receipts of to.receipts()) if (receipts.length === 0) break;
  return copied.events;
}
