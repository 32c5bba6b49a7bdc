/** Sagas in whole engines, on every backend: the cases are in files of their own. */
import { join } from 'node:path';
import { sqlite } from 'eventsrc/sqlite';
import { afterEach, describe } from 'vitest';
import { memory } from '../../src/index.ts';
import { postgresStores } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { activityCases } from './activity-cases.ts';
import { familyCases } from './family-cases.ts';
import { lifecycleCases } from './lifecycle-cases.ts';
import { closeAll } from './opened.ts';
import { undoingCases } from './undoing-cases.ts';
import type { NewStore } from './opened.ts';

const folder = await temporaryFolder();
let files = 0;

afterEach(closeAll);

describe.each<[string, NewStore]>([
  ['memory', memory],
  ['sqlite', () => sqlite(join(folder, `${++files}.db`))],
  ['postgres', postgresStores()],
])('on %s', (_, newStore) => {
  lifecycleCases(newStore);
  activityCases(newStore);
  undoingCases(newStore);
  familyCases(newStore);
});
