import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary.ts';
import { startExample } from './example-process.ts';

test('the ticket shop tells its story, and cleans up', async () => {
  const folder = await temporaryFolder();
  const { code, stdout, stderr } = await startExample('order-fulfilment', [], { TMPDIR: folder }).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const text = stdout.toString('utf8');
  for (const part of [
    /✓ Ada pays 60: OrderPaid version 2\n/,
    /✓ Bob clicks “Order”: OrderPlaced version 1\n {3}✓ Bob clicks “Order”: OrderPlaced version 1 \(the kept receipt/,
    /✗ The same key with nine tickets: an error, idempotency_key_reused\n/,
    /✗ Bob pays 3 instead of 30: rejected, wrong_amount \{"total":30\}\n/,
    /✗ Bob pays -30: invalid, amount: .+\n/,
    // Whoever is first.
    /✓ (Ann ships it: OrderShipped version 3\n {3}✗ Ben cancels it: rejected, not_cancellable .+"Ann"|Ben cancels it: OrderCancelled)/,
    /✓ Cid books seat 12: SeatBooked version 2\n {3}✗ Dot books seat 12: rejected, seat_taken \{"by":"1003"\}\n/,
    /✗ Eve, who has not paid, books seat 12: rejected, order_not_paid/,
    / to pay +to ship +shipped +taken\n {3}as it is +Eve +Bob · Cid 12 · Dot +(Ada +150|– +90)\n/,
    /Eve pays +– +Bob · Cid 12 · Dot · Eve +(Ada +180|– +120)\n/,
    /Eve books seat 13 +– +Bob · Cid 12 · Dot · Eve 13 +(Ada +180|– +120)\n/,
    /Ann ships 1003 +– +Bob · Dot · Eve 13 +(Ada · Cid 12 +180|Cid 12 +120)\n/,
    // The board is hardly ever as quick as the question.
    /Who is to pay\? Read at once: (nobody \(1 event behind\)|Fay, this time)\n/,
    /✓ Who is to pay\? Read with \{ atLeast: 16 \}: Fay, 120 \([\d.]+ ms later\)\n/,
    /1 {2}[\d:.]+ {2}OrderPlaced +status placed, customer Ada, tickets 2, total 60 +[\da-f]{12}\n/,
    /3 {2}[\d:.]+ {2}(OrderShipped +status shipped, clerk Ann|OrderCancelled +status cancelled, clerk Ben) +[\da-f]{12}\n/,
    /As of event 4 of this shop, before Ann and Ben came to it, it was paid, and the board:\n/,
    / {3}as it was +– +Ada · Bob +– +90\n {3}as it is +Fay +Bob · Dot · Eve 13 +(Ada · Cid 12 +180|Cid 12 +120)\n/,
    /Why is 1001 (shipped, and no longer paid\? OrderShipped by Ann|cancelled, and no longer paid\? OrderCancelled by Ben), /,
    /Why has Cid seat 12 on the board\? SeatBooked in show-hamlet, version 2\n/,
    /\+0\.000 s {2}OrderPlaced +Ada: placed, 60\n +\+\d\.\d+ s {2}OrderPaid +Ada: placed → paid\n/,
    /SeatBooked +Eve: seat 13\n.* OrderShipped +Cid: paid → shipped\n.* OrderPlaced +Fay: placed, 120\n/,
    /✗ The worker was killed \(SIGKILL\): .+\n {3}✓ The next worker asks the payment service: charged already\n/,
    /✗ Cleo’s process was killed \(SIGKILL\): no answer\n {3}✓ Cleo tries again: OrderShipped version 3 \(the kept receipt/,
  ]) {
    expect(text).toMatch(part);
  }
  const timeless = text.replaceAll(/\+\d+\.\d{3} s {2}/g, '');
  for (const [about, ...told] of sales) expect(timeless).toContain(`\n   ${[about, ...told].join('\n   ')}\n`);
  expect(text, 'plain where it is not read by a terminal').not.toContain('\x1b');
  expect(readdirSync(folder)).toEqual([]);
});

const toAtlantis = [
  '✓ create order',
  '✓ charge payment {"charged":30}',
  '✓ note payment',
  '✗ send tickets: no_such_town',
  '  what was done is undone, the last first',
];
const compensated = 'The sale is compensated, the order cancelled.';
const toOslo = [
  '✓ note payment',
  '✓ send tickets {"sentTo":"Oslo"}',
  '✓ ship order',
  'The sale is completed, the order shipped.',
];

/** What becomes of each, without the times. */
const sales = [
  ['Gus buys a ticket', '✓ create order', '✓ charge payment {"charged":30}', ...toOslo],
  [
    'Hal’s card is declined',
    '✓ create order',
    '✗ charge payment: card_declined',
    '  what was done is undone, the last first',
    '✓ undo: create order',
    compensated,
  ],
  [
    'Ida lives where no parcel goes',
    ...toAtlantis,
    '✓ undo: charge payment {"refunded":30}',
    '✓ undo: create order',
    compensated,
  ],
  [
    'Jan lives there, too, and the payment service has an outage',
    ...toAtlantis,
    ...[1, 2, 3].map((attempt) => `✗ undo: charge payment: no answer (attempt ${attempt}; there will be another)`),
    '✓ undo: charge payment {"refunded":30}',
    '✓ undo: create order',
    compensated,
  ],
  [
    'Kim’s account was closed after the charge',
    ...toAtlantis,
    '✗ undo: charge payment: account_closed',
    '✗ stuck: it gets no further until somebody acts',
    'The sale is stuck, the order paid.',
    'The alarm: fulfilment 2005 is stuck. The list of what is stuck: 2005, account_closed.',
  ],
  [
    'Ann pays Kim back in cash, and says so',
    '✓ undo: charge payment {"refunded":30} by Ann',
    '✓ undo: create order',
    compensated,
  ],
  [
    'Leo’s sale',
    '✓ create order',
    '✗ charge payment: whoever made attempt 1 is gone',
    '✓ charge payment {"charged":30}',
    ...toOslo,
    'The payment service’s book has 1 charge of Leo’s.',
  ],
];
