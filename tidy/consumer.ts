/** A user's code, for package.test.ts: compiled against the packed package by each TypeScript that we support. */
import { EngineError, defaultLimits, hasCode, memory, openLog } from 'eventsrc';
import type { EventLog, LogAppendResult, NewEvent, Receipt, RecordedEvent, StandardSchemaV1 } from 'eventsrc';

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
