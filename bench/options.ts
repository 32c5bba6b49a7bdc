import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { largeIds } from './large/large.ts';
import type { LargeId } from './large/large.ts';
import { moveIds } from './move/moves.ts';
import type { MoveId } from './move/moves.ts';
import { readIds } from './read/reads.ts';
import type { ReadId } from './read/reads.ts';
import { rowIds } from './rows.ts';
import type { RowId } from './rows.ts';
import { sagaIds } from './saga/saga-ids.ts';
import type { SagaId } from './saga/saga-ids.ts';
import { schemaIds } from './schema/schema-ids.ts';
import type { SchemaId } from './schema/schema-ids.ts';

type KnownId = RowId | SagaId | SchemaId | ReadId | MoveId | LargeId;
const knownIds: readonly KnownId[] = [...rowIds, ...sagaIds, ...schemaIds, ...readIds, ...moveIds, ...largeIds];

export const usage = `npm run bench -- [options]

  --only id,id   these rows alone: ${knownIds.join(', ')}
  --quick        a look in a few seconds: short rounds, no peers; its figures are for nothing else
  --json FILE    writes what was measured there too; - prints it instead of the table
  --chart FILE   draws the ratios as an SVG; needs the peers
  --dir DIR      where the stores are written, on the disk to be measured (default: the folder for temporary files)
  --postgres     measures the store on PostgreSQL instead, on a server of its own; with --only, --quick, --json
  --help         prints this

docs/benchmarks.md tells how to read the table.`;

export interface Options {
  readonly help: boolean;
  readonly quick: boolean;
  readonly only: readonly KnownId[];
  readonly json: string | undefined;
  readonly chart: string | undefined;
  readonly dir: string;
}

/** @throws {Error} whose message is meant for the person who typed the command. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      chart: { type: 'string' },
      dir: { type: 'string', default: tmpdir() },
      help: { type: 'boolean', default: false },
    },
  });
  const { only, quick, json, chart, dir, help } = values;
  return { help, quick, json, chart, dir, only: only === undefined ? knownIds : only.split(',').map(toRowId) };
}

function toRowId(given: string): KnownId {
  const id = knownIds.find((known) => known === given.trim());
  if (id === undefined) throw new Error(`--only: there is no row "${given}". There are: ${knownIds.join(', ')}.`);
  return id;
}
