/** Races others on FILE for ROUNDS rounds and prints what it won and lost; any other outcome is an error. */
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';

const [file = '', name = '', rounds = '0'] = process.argv.slice(2);
await using log = await openLog({ store: sqlite(file) });
const won = { version: 0, any: 0, condition: 0 };
const lost = { version: 0, condition: 0 };

for (let round = 0; round < Number(rounds); round++) {
  const event = (tags: readonly string[] = []) => ({ type: 'Raced', data: { name, round }, tags });
  const [byVersion, any, byCondition] = await Promise.all([
    log.append([{ stream: 'race-version', expected: round, events: [event()] }]),
    log.append([{ stream: 'race-any', events: [event()] }]),
    log.append([{ stream: `race-${name}-${round}`, events: [event([`claim:${round}`])] }], {
      conditions: [{ failIfMatch: [{ types: ['Raced'], tags: [`claim:${round}`] }], after: 0 }],
    }),
  ]);
  if (byVersion.kind === 'appended') won.version += 1;
  else if (byVersion.kind === 'version_conflict' && byVersion.actual > round) lost.version += 1;
  else throw new Error(JSON.stringify(byVersion));
  if (any.kind === 'appended') won.any += 1;
  else throw new Error(JSON.stringify(any));
  if (byCondition.kind === 'appended') won.condition += 1;
  else if (byCondition.kind === 'condition_conflict') lost.condition += 1;
  else throw new Error(JSON.stringify(byCondition));
}
console.log(JSON.stringify({ won, lost }));
