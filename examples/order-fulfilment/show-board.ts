import type { Engine, ReadOptions, View } from 'eventsrc';
import { bad, chapter, count, faint, good, line } from '../narrator.ts';
import { board } from './board.ts';
import type { BoardCard } from './board.ts';
import { order } from './order.ts';
import { bookSeat } from './seats.ts';
import { tell } from './tell.ts';

/** A view of the same events, and what it takes to find one's own deeds in it. */
export async function showBoard(engine: Engine): Promise<void> {
  chapter(
    'The board in the office',
    'The same events once more, folded by order into a view that can be queried: a projection. It follows what is decided\nby a moment. Whoever must see their own deed in it asks for a board at least as new as their receipt.',
  );
  const { pay, ship } = order.commands;
  boardColumns();
  const view = engine.view(board);
  await showCards(view, 'as it is', { atLeast: (await engine.log.head()).position });
  for (const [deed, command] of [
    ['Eve pays', pay('1005', { amount: 30 })],
    ['Eve books seat 13', bookSeat({ showId: 'hamlet', seat: 13, orderId: '1005' })],
    ['Ann ships 1003', ship('1003', { clerk: 'Ann' })],
  ] as const) {
    const receipt = await engine.execute(command);
    if (receipt.kind !== 'accepted') return tell(deed, receipt);
    await showCards(view, deed, { atLeast: receipt.position });
  }
  await showOwnDeed(engine);
}

export function boardColumns(): void {
  showLine(faint, '', 'to pay', 'to ship', 'shipped', 'taken');
}

/** A line of the board: as it is, or, of a past view, as it was. */
export async function showCards(view: View<BoardCard>, moment: string, bound?: ReadOptions): Promise<void> {
  const cards = await view.findMany(
    { where: { status: { in: ['placed', 'paid', 'shipped'] } }, orderBy: { total: 'desc' } },
    bound,
  );
  const column = (status: BoardCard['status']) =>
    cards
      .filter((card) => card.status === status)
      .map(({ customer, seats }) => [customer, ...seats].join(' '))
      .join(' · ') || '–';
  const taken = cards.filter(({ status }) => status !== 'placed').reduce((sum, { total }) => sum + total, 0);
  showLine(String, moment, column('placed'), column('paid'), column('shipped'), String(taken));
}

const widths = [20, 10, 27, 16, 5];

function showLine(style: (text: string) => string, ...cells: readonly string[]): void {
  line(style(cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')).trimEnd());
}

/** Twice the same question, right after a command: without a bound, and with one. */
async function showOwnDeed(engine: Engine): Promise<void> {
  const receipt = await engine.execute(order.commands.place('1006', { customer: 'Fay', tickets: 4, price: 30 }));
  const answeredMs = performance.now();
  tell('Fay orders four tickets at 30', receipt);
  if (receipt.kind !== 'accepted') return;
  const { position: atLeast } = receipt;
  const view = engine.view(board);
  const query = { where: { status: 'placed' }, orderBy: { total: 'desc' } } as const;
  const { documents, position } = await view.findPage(query);
  const card = await view.findFirst(query, { atLeast });
  const ms = (performance.now() - answeredMs).toFixed(1);
  if (documents.length > 0) good('Who is to pay? Read at once: Fay, this time');
  else bad(`Who is to pay? Read at once: nobody ${faint(`(${count(atLeast - position, 'event')} behind)`)}`);
  good(
    `Who is to pay? Read with { atLeast: ${atLeast} }: ${card?.customer}, ${card?.total} ${faint(`(${ms} ms later)`)}`,
  );
}
