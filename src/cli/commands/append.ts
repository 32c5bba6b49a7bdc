import { toHex } from '../../event/bytes.ts';
import { eventId } from '../../event/digests.ts';
import type { EventMetadata } from '../../event/event.ts';
import type { ExpectedVersion } from '../../store/port.ts';
import { expectedVersion, jsonArgument, jsonObject, repeated } from '../arguments.ts';
import { DeclaredEvents, ofSaga, refused } from '../declared-events.ts';
import { action, defineCommand } from '../define.ts';

interface Options {
  readonly tag?: readonly string[];
  readonly metadata?: EventMetadata;
  readonly expected: ExpectedVersion;
}

const definition = defineCommand({
  usage: 'append <stream> <type> [data]',
  summary: 'append an event',
  does: 'Append an event. Where the config declares the aggregate, the data must match its schema.',
  examples: [
    [`append account-1 MoneyDeposited '{"amount": 5}'`, 'data is JSON'],
    ['append sensor-7 Measured - < reading.json', 'data from standard input'],
    [`append account-1 '$deleted' --expected 7`, 'a tombstone, if nothing has happened since version 7'],
  ],
})
  .option('--tag <tag>', 'a tag; several, if given several times', repeated)
  .option('--metadata <json>', 'an object, for example {"actor": "Ada"}', jsonObject)
  .option('--expected <version>', 'a version, any, no_stream, stream_exists or deleted', expectedVersion, 'any');

export const append = action<[stream: string, type: string, data?: string], Options>(
  definition,
  async (session, { tag: tags, metadata, expected }, stream, type, data) => {
    const event = { type, data: await jsonArgument('data', data, null, session.signal) };
    const config = await session.config();
    await using log = await session.openLog('create');
    const draft = await new DeclaredEvents(log, config).encode(stream, {
      ...event,
      ...(tags !== undefined && { tags }),
      ...(metadata !== undefined && { metadata }),
    });
    // It may be one that the config does not know.
    for await (const [first] of log.read({ stream, limit: 1 })) if (first?.kind === 'saga_step') throw ofSaga(stream);
    const request = { writes: [{ stream, expected, events: [draft] }], checks: [], conditions: [], receipts: [] };
    const result = await log.commit(request, session.signal);
    if (result.kind !== 'appended') throw refused(result);
    const { position, recordedAt } = result;
    const version = result.versions[0] as number;
    const id = toHex(eventId({ stream, version, recordedAt, bodyDigest: draft.bodyDigest }));
    const appended = { stream, version, position, recordedAt, id };
    await session.terminal.printDone(`${type} is version ${version} of ${stream}, position ${position}`, appended);
  },
);
