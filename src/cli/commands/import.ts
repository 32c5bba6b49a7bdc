import type { CloudEventAttributes } from '../../event/cloud-event.ts';
import { isOurs } from '../../event/cloud-event.ts';
import { repeated } from '../arguments.ts';
import { DeclaredEvents } from '../declared-events.ts';
import { action, defineCommand } from '../define.ts';
import { numberText } from '../moment-text.ts';
import { withProgress } from '../progress.ts';
import type { Session } from '../session.ts';
import { ForeignEvents } from '../transfer/foreign-events.ts';
import { openInput } from '../transfer/input.ts';
import type { Input } from '../transfer/input.ts';
import { readLines } from '../transfer/lines.ts';
import type { Line } from '../transfer/lines.ts';
import { loadMapping } from '../transfer/mapping.ts';
import { OwnEvents } from '../transfer/own-events.ts';
import type { Sink } from '../transfer/sink.ts';

interface Options {
  readonly map?: readonly string[];
  readonly source?: string;
  readonly dryRun?: boolean;
}

const definition = defineCommand({
  usage: 'import [file]',
  summary: 'import an export, or events of other systems',
  does:
    'Import newline-delimited JSON (.gz and .zst too) from a file or standard input: an eventsrc export as it was, or ' +
    'CloudEvents and any other JSON of other systems. Repeated after an interruption, it goes on where it was.',
  examples: [
    ['import bank.ndjson.zst', 'an export: every id is checked, and kept'],
    ['import orders.ndjson --map stream=order-{orderId},type=kind,time=at,data=payload', 'fields of JSON lines'],
    ['import cloud-events.ndjson --map stream=order-{subject}', 'CloudEvents; what is not said is where they have it'],
    ['import legacy.ndjson --map map.ts --dry-run', 'a function of yours; nothing is written yet'],
  ],
})
  .option('--map <file or fields>', 'how a line becomes events; without it, lines are CloudEvents', repeated)
  .option('--source <uri>', 'where events come from that do not say so themselves')
  .option('--dry-run', 'check every line, and write nothing');

export const importEvents = action<[file?: string], Options>(definition, async (session, options, file) => {
  const isDry = options.dryRun ?? false;
  const input = openInput(file, session.signal);
  const map = await loadMapping(options.map);
  // Where nothing is to be written, nothing is even opened.
  await using log = await session.openLog('create', isDry ? { kind: 'memory' } : undefined);
  const declared = new DeclaredEvents(log, await session.config());
  const foreign = () => new ForeignEvents({ log, declared, map, name: input.name, source: options.source, isDry });
  const choose = (first: Line) => {
    if (options.map === undefined && isOurs((first.value ?? {}) as CloudEventAttributes))
      return new OwnEvents(isDry ? undefined : log, input.name);
    return foreign();
  };
  const { imported, skipped } = await pour(session, input, isDry, choose);
  const earlier = skipped === 0 ? '' : ` (${numberText(skipped)} were there already)`;
  const what = isDry ? 'Checked' : 'Imported';
  await session.terminal.printDone(`${what} ${numberText(imported)} events${earlier} from ${input.name}`, {
    imported,
    skipped,
  });
});

async function pour(
  { terminal, signal }: Session,
  input: Input,
  isDry: boolean,
  choose: (first: Line) => Sink,
): Promise<{ readonly imported: number; readonly skipped: number }> {
  let sink: Sink | undefined;
  try {
    await withProgress(terminal, async (progress) => {
      for await (const lines of readLines(input.name, input.bytes)) {
        for (const line of lines) {
          sink ??= choose(line);
          await sink.add(line);
        }
        signal.throwIfAborted();
        const count = sink === undefined ? 0 : sink.imported + sink.skipped;
        progress({ title: 'importing', what: 'events', done: input.taken(), total: input.size, count });
      }
      await sink?.end();
    });
  } catch (error) {
    // What was read before is good, and stays.
    await sink?.end().catch(() => {});
    if (!signal.aborted && sink !== undefined) {
      const done = isDry ? 'are good' : 'were imported';
      terminal.note(
        `${numberText(sink.imported)} events before it ${done}, ${numberText(sink.skipped)} were there already.`,
      );
    }
    throw error;
  }
  return { imported: sink?.imported ?? 0, skipped: sink?.skipped ?? 0 };
}
