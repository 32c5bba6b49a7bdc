/**
 * Appends to FILE and prints each acknowledged position, until an append fails; then prints the error's code and
 * outcome, and what a further append says. With FLAG, that file is made after ten appends (see sync-failure.c); with `inline`,
 * each append is staged and then finished.
 */
import { writeFileSync } from 'node:fs';
import { EngineError } from '../../src/ground/errors.ts';
import { sqlite } from '../../src/sqlite/index.ts';
import { openLog } from '../../src/store/log.ts';

const [file = '', flag = '', inline] = process.argv.slice(2);
const append = () => log.append([{ stream: 'order-1', events: [{ type: 'Appended', data: 'x'.repeat(2_000) }] }]);

function describe(error: unknown): string {
  if (!(error instanceof EngineError)) return `unexpected: ${String(error)}`;
  const outcome = 'outcome' in error.details ? error.details.outcome : undefined;
  return JSON.stringify({ code: error.code, outcome, message: error.message });
}

const log = await openLog({ store: sqlite(file), limits: { eventsPerStream: Infinity } }).catch((error: unknown) => {
  console.log(describe(error));
  process.exit(0);
});
if (inline !== undefined) log.foldInline({ fold: async () => undefined, committed: () => {} });
for (;;) {
  try {
    const result = await append();
    if (result.kind !== 'appended') throw new Error(result.kind);
    console.log(result.events[0]?.position);
    if (flag !== '' && result.events[0]?.position === 10) writeFileSync(flag, '');
  } catch (error) {
    console.log(describe(error));
    break;
  }
}
// Others that wait at the same time fail alike, and none is written.
const others = await Promise.allSettled([append(), append()]);
for (const other of others) console.log(other.status === 'rejected' ? describe(other.reason) : 'appended');
await log.close();
