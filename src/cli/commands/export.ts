import { statSync } from 'node:fs';
import { toCloudEvent } from '../../event/cloud-event.ts';
import type { EventLog } from '../../store/log.ts';
import type { ReadQuery } from '../../store/port.ts';
import { action, defineCommand } from '../define.ts';
import { addSelection, toQuery } from '../event-selection.ts';
import type { SelectionOptions } from '../event-selection.ts';
import { bytesText, numberText } from '../moment-text.ts';
import { withProgress } from '../progress.ts';
import type { Progress } from '../progress.ts';
import { writeFile, writeOutput } from '../transfer/output-file.ts';

interface Options extends SelectionOptions {
  readonly source: string;
  readonly force?: boolean;
}

const definition = addSelection(
  defineCommand({
    usage: 'export [file]',
    summary: 'write events as CloudEvents',
    does: 'Write events as CloudEvents, a line each, into a file (.gz, .zst: compressed) or to standard output.',
    examples: [
      ['export bank.ndjson.zst', 'everything; eventsrc import brings it back, byte for byte'],
      ['export --stream account-1 | jq .data', 'one stream, to standard output'],
      ['export new.ndjson --after 120000', 'what has been appended since an earlier export'],
    ],
  }),
)
  .option('--source <uri>', 'the source that the CloudEvents name', 'eventsrc')
  .option('--force', 'replace the file if it exists');

export const exportEvents = action<[file?: string], Options>(definition, async (session, options, file) => {
  const { terminal, signal } = session;
  const { source, force = false } = options;
  const query = toQuery(options);
  await using log = await session.openLog('existing');
  const { position } = await log.head();
  const first = query.after ?? 0;
  const last = Math.min(query.until ?? Infinity, position);
  let count = 0;
  const counted = (events: number) => (count += events);
  await withProgress(terminal, async (progress) => {
    const texts = lines(log, { ...query, until: last }, { source, first, last, progress, counted });
    if (file === undefined || file === '-') await writeOutput(terminal.out, texts, signal);
    else await writeFile(file, texts, { force, signal });
  });
  if (file === undefined || file === '-') return;
  const bytes = statSync(file).size;
  const sentence = `Exported ${numberText(count)} events, ${bytesText(bytes)}, to ${file}`;
  await terminal.printDone(sentence, { file, events: count, bytes, upto: last });
  if (query.match !== undefined || first > 0 || query.recordedFrom !== undefined)
    terminal.note('  It is part of the store: it can only be imported where the events before it are.');
});

interface Work {
  readonly source: string;
  /** Positions: behind this, and up to and with this. */
  readonly first: number;
  readonly last: number;
  readonly progress: Progress;
  readonly counted: (events: number) => number;
}

async function* lines(log: EventLog, query: ReadQuery, work: Work): AsyncGenerator<string> {
  const { source, first, last, progress, counted } = work;
  for await (const page of log.readRecorded({ ...query, pageSize: 1_024 })) {
    yield page.map((event) => `${toCloudEvent(event, source)}\n`).join('');
    const done = (page.at(-1)?.position ?? first) - first;
    progress({ title: 'exporting', what: 'events', done, total: last - first, count: counted(page.length) });
  }
}
