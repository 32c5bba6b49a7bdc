/** Races others on FILE for ROUNDS rounds of the DCB examples. Prints how its commands ended, and fails if any was given up. */
import { openEngine } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { dcbDecisions } from '../engine/dcb-examples.ts';
import { racedCommands } from '../engine/dcb-race.ts';

const [file = '', name = '', rounds = '0'] = process.argv.slice(2);
await using engine = await openEngine({ store: sqlite(file), decisions: dcbDecisions, commandTimeoutMs: 60_000 });
const counts: Record<string, number> = {};
for (let round = 0; round < Number(rounds); round++) {
  for (const receipt of await Promise.all(racedCommands(name, round).map((command) => engine.execute(command)))) {
    counts[receipt.kind] = (counts[receipt.kind] ?? 0) + 1;
  }
}
console.log(JSON.stringify(counts));
