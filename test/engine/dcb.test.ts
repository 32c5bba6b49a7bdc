import { join } from 'node:path';
import { memory, openEngine } from 'eventsrc';
import type { Backend } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { given } from 'eventsrc/testing';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../support/child.ts';
import { temporaryFolder } from '../support/temporary.ts';
import {
  bookRoom,
  confirmSignUp,
  createInvoice,
  dcbDecisions,
  nameRetentionMs,
  orderProduct,
  priceGraceMs,
  register,
  subscribe,
  tokenLifeMs,
} from './dcb-examples.ts';
import { brokenInvariants, racedCommands } from './dcb-race.ts';
import { postgresStores } from '../support/postgres-schemas.ts';

const folder = await temporaryFolder();
const start = Date.UTC(2026, 0, 1);

describe('course subscriptions', () => {
  const defined = (courseId: string, capacity: number) =>
    ({
      stream: `course-${courseId}`,
      type: 'CourseDefined',
      data: { courseId, capacity },
      tags: [`course:${courseId}`],
    }) as const;
  const subscribed = (courseId: string, studentId: string) =>
    ({
      stream: `course-${courseId}`,
      type: 'StudentSubscribed',
      data: { courseId, studentId },
      tags: [`course:${courseId}`, `student:${studentId}`],
    }) as const;
  const ada = { courseId: 'c1', studentId: 'ada' };

  test('a student subscribes to a course with room', async () => {
    await given(subscribe, [defined('c1', 1)])
      .when(subscribe(ada))
      .thenEvents([subscribed('c1', 'ada')]);
  });

  test('not to one that is full, unknown, or already theirs', async () => {
    await given(subscribe, [defined('c1', 1), subscribed('c1', 'bob')])
      .when(subscribe(ada))
      .thenRejected('course_full', { places: 1 });
    await given(subscribe, []).when(subscribe(ada)).thenRejected('course_unknown');
    await given(subscribe, [defined('c1', 5), subscribed('c1', 'ada')])
      .when(subscribe(ada))
      .thenRejected('already_subscribed');
  });

  test('a changed capacity counts', async () => {
    const larger = {
      stream: 'course-c1',
      type: 'CourseCapacityChanged',
      data: { courseId: 'c1', capacity: 2 },
      tags: ['course:c1'],
    } as const;
    await given(subscribe, [defined('c1', 1), subscribed('c1', 'bob'), larger])
      .when(subscribe(ada))
      .thenEvents([subscribed('c1', 'ada')]);
  });

  test('not to a sixth course', async () => {
    const five = ['c2', 'c3', 'c4', 'c5', 'c6'].map((course) => subscribed(course, 'ada'));
    await given(subscribe, [defined('c1', 1), ...five])
      .when(subscribe(ada))
      .thenRejected('too_many_courses');
  });
});

describe('unique user names', () => {
  const registered = { stream: 'user-1', type: 'AccountRegistered', data: { username: 'ada' }, tags: ['username:ada'] };
  const closed = { stream: 'user-1', type: 'AccountClosed', data: { username: 'ada' }, tags: ['username:ada'] };
  const history = [
    { ...registered, type: 'AccountRegistered' },
    { ...closed, type: 'AccountClosed', recordedAt: start },
  ] as const;

  test('a name is taken while its account is open, and for three days after', async () => {
    const again = register({ username: 'ada', userId: '2' });
    await given(register, [history[0]]).when(again).thenRejected('username_taken');
    const now = start + nameRetentionMs;
    await given(register, history)
      .when(again, { now: now - 1 })
      .thenRejected('username_taken');
    await given(register, history)
      .when(again, { now })
      .thenEvents([{ stream: 'user-2', type: 'AccountRegistered', data: { username: 'ada' }, tags: ['username:ada'] }]);
  });
});

test('an invoice has the number after the last', async () => {
  await given(createInvoice, [
    { stream: 'invoice-1', type: 'InvoiceCreated', data: { number: 1, customer: 'x' } },
    { stream: 'invoice-2', type: 'InvoiceCreated', data: { number: 2, customer: 'x' } },
  ])
    .when(createInvoice({ customer: 'y' }))
    .thenEvents([{ stream: 'invoice-3', type: 'InvoiceCreated', data: { number: 3, customer: 'y' } }]);
});

test('a displayed price holds for ten minutes after it changed', async () => {
  const priced = (price: number, recordedAt: number) =>
    ({
      stream: 'product-p',
      type: 'ProductPriced',
      data: { productId: 'p', price },
      tags: ['product:p'],
      recordedAt,
    }) as const;
  const history = [priced(100, start), priced(120, start + 1_000)];
  const order = orderProduct({ productId: 'p', displayedPrice: 100 });
  const ordered = { stream: 'order-id-2', type: 'ProductOrdered', data: { productId: 'p', price: 100 } } as const;
  const last = start + 1_000 + priceGraceMs;
  await given(orderProduct, history).when(order, { now: last }).thenEvents([ordered]);
  await given(orderProduct, history)
    .when(order, { now: last + 1 })
    .thenRejected('price_invalid', { current: 120 });
});

test('a token confirms once, within an hour', async () => {
  const started = {
    stream: 'sign_up-t',
    type: 'SignUpStarted',
    data: { email: 'a@b', token: 't' },
    tags: ['token:t'],
    recordedAt: start,
  } as const;
  const confirmed = { stream: 'sign_up-t', type: 'SignUpConfirmed', data: { token: 't' }, tags: ['token:t'] } as const;
  const confirm = confirmSignUp({ token: 't' });
  await given(confirmSignUp, []).when(confirm).thenRejected('token_unknown');
  await given(confirmSignUp, [started, confirmed]).when(confirm).thenRejected('token_used');
  await given(confirmSignUp, [started])
    .when(confirm, { now: start + tokenLifeMs })
    .thenEvents([confirmed]);
  await given(confirmSignUp, [started])
    .when(confirm, { now: start + tokenLifeMs + 1 })
    .thenRejected('token_expired');
});

test('a room is not booked twice for a night', async () => {
  const booked = {
    stream: 'room-1',
    type: 'RoomBooked',
    data: { room: '1', from: 3, until: 5, guest: 'x' },
    tags: ['room:1'],
  } as const;
  const book = (from: number, until: number) => bookRoom({ room: '1', from, until, guest: 'y' });
  await given(bookRoom, [booked]).when(book(4, 6)).thenRejected('room_taken');
  await given(bookRoom, [booked])
    .when(book(5, 6))
    .thenEvents([{ ...booked, data: { room: '1', from: 5, until: 6, guest: 'y' } }]);
});

const newStore = postgresStores();

describe.each<[string, (name: string) => Backend]>([
  ['memory', () => memory()],
  ['sqlite', (name) => sqlite(join(folder, `${name}.db`))],
  ['postgres', () => newStore()],
])('raced by many promises, on %s', (_, place) => {
  test('every invariant holds, and nobody is turned away for want of trying', async () => {
    await using engine = await openEngine({ store: place('promises'), decisions: dcbDecisions });
    const racers = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const commands = [0, 1, 2].flatMap((round) => racers.flatMap((racer) => racedCommands(racer, round)));
    const receipts = await Promise.all(commands.map((command) => engine.execute(command)));
    const kinds = new Set(receipts.map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(['accepted', 'rejected']));
    expect(await brokenInvariants(engine.log)).toEqual([]);
    // Not by doing nothing: the courses that everybody wants are full, every room is booked.
    const accepted = receipts.filter(({ kind }) => kind === 'accepted').length;
    expect(accepted).toBe((await engine.log.head()).position);
    expect(await placesTaken(engine.log, 'course-c0-0')).toBe(7);
  });
});

async function placesTaken(log: { read: Awaited<ReturnType<typeof openEngine>>['log']['read'] }, stream: string) {
  let taken = 0;
  for await (const page of log.read({ stream }))
    for (const { type } of page) if (type === 'StudentSubscribed') taken += 1;
  return taken;
}

test('raced by several processes, every invariant holds', async () => {
  const file = join(folder, 'processes.db');
  await (await openEngine({ store: sqlite(file) })).close();
  const printed = await Promise.all(['a', 'b', 'c', 'd'].map((name) => runProgram('dcb-racer', [file, name, '8'])));
  const counts = printed.map(([line = '']) => JSON.parse(line) as Record<string, number>);
  await using engine = await openEngine({ store: sqlite(file) });
  expect(await brokenInvariants(engine.log)).toEqual([]);
  const total = (kind: string) => counts.reduce((sum, count) => sum + (count[kind] ?? 0), 0);
  expect(total('conflict')).toBe(0);
  expect(total('accepted')).toBe((await engine.log.head()).position);
  expect(await placesTaken(engine.log, 'course-c0-0')).toBe(7);
});
