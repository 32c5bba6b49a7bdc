import type { Engine } from 'eventsrc';
import { chapter, faint, line, strong } from '../narrator.ts';
import { order } from './order.ts';

export async function showHistory(engine: Engine): Promise<void> {
  chapter(
    'What happened, and how it was',
    'Nothing was overwritten, so the order’s whole life is there, each event with an id that is the hash of what it says.\nAnd any earlier state is the same fold, stopped earlier.',
  );
  for await (const page of engine.history(order, '1001')) {
    for (const { version, recordedAt, type, data, id } of page) {
      const time = new Date(recordedAt).toISOString().slice(11, 23);
      line(`${version}  ${time}  ${strong(type.padEnd(14))} ${JSON.stringify(data)}  ${faint(id.slice(0, 12))}`);
    }
  }
  for (const version of [1, 2]) {
    const { state } = await engine.load(order, '1001', { at: { version } });
    line(`As of version ${version} it was ${strong(state.status)}.`);
  }
  const { state } = await engine.load(order, '1001');
  line(`Now it is ${strong(state.status)}.`);
}
