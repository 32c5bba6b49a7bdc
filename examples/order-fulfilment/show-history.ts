import type { Engine } from 'eventsrc';
import { chapter, faint, line, strong } from '../narrator.ts';
import { board } from './board.ts';
import { order } from './order.ts';
import { boardColumns, showCards } from './show-board.ts';

/** Travels in time: what happened to an order, how it and the board were at an earlier moment, and why they are as they are. */
export async function showHistory(engine: Engine): Promise<void> {
  chapter(
    'What happened, how it was, and why',
    'Nothing was overwritten, so the order’s whole life is there, each event with an id that is the hash of what it says.\nAnd any earlier moment is the same fold, stopped earlier: of an order, and of everything that is made of events.',
  );
  let position = 0;
  for await (const { event, changes } of engine.past.history(order, '1001')) {
    const became = changes.map(({ path, after }) => `${path} ${String(after)}`).join(', ');
    line(
      `${event.version}  ${timeOf(event)}  ${strong(event.type.padEnd(14))} ${became.padEnd(52)}  ${faint(event.id.slice(0, 12))}`,
    );
    position = event.position;
  }
  console.log();
  await showMoment(engine, position - 1);
  console.log();
  await showWhy(engine);
}

/** The order and the board, right before the clerks came to it. */
async function showMoment(engine: Engine, position: number): Promise<void> {
  const at = { position };
  const { state } = await engine.load(order, '1001', { at });
  line(
    `As of event ${position} of this shop, before Ann and Ben came to it, it was ${strong(state.status)}, and the board:`,
  );
  boardColumns();
  await showCards(await engine.past.view(board, at), 'as it was');
  await showCards(engine.view(board), 'as it is', { atLeast: (await engine.log.head()).position });
}

/** The events behind what a state and a document say, wherever they are recorded. */
async function showWhy(engine: Engine): Promise<void> {
  const status = await engine.past.why({ aggregate: order, id: '1001' }, 'status');
  if (status !== undefined) {
    const { event, before, after } = status;
    line(
      `Why is 1001 ${String(after)}, and no longer ${String(before)}? ${strong(event.type)} by ${event.metadata.actor}, ${timeOf(event)}`,
    );
  }
  const seats = await engine.past.why({ projection: board, key: '1003' }, 'seats');
  if (seats !== undefined) {
    const { event, after } = seats;
    line(
      `Why has Cid seat ${String(after)} on the board? ${strong(event.type)} in ${event.stream}, version ${event.version}`,
    );
  }
}

function timeOf({ recordedAt }: { readonly recordedAt: number }): string {
  return new Date(recordedAt).toISOString().slice(11, 23);
}
