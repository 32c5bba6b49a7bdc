import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { rowIds } from './rows.ts';
import type { RowId } from './rows.ts';

export const usage = `npm run bench -- [options]

  --only id,id   these rows alone: ${rowIds.join(', ')}
  --quick        a look in a few seconds: short rounds, no peers; its figures are for nothing else
  --json FILE    writes what was measured there too
  --dir DIR      where the stores are written, on the disk to be measured (default: the folder for temporary files)
  --help         prints this

docs/benchmarks.md tells how to read the table.`;

export interface Options {
  readonly help: boolean;
  readonly quick: boolean;
  readonly only: readonly RowId[];
  readonly json: string | undefined;
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
      dir: { type: 'string', default: tmpdir() },
      help: { type: 'boolean', default: false },
    },
  });
  const { only, quick, json, dir, help } = values;
  return { help, quick, json, dir, only: only === undefined ? rowIds : only.split(',').map(toRowId) };
}

function toRowId(given: string): RowId {
  const id = rowIds.find((known) => known === given.trim());
  if (id === undefined) throw new Error(`--only: there is no row "${given}". There are: ${rowIds.join(', ')}.`);
  return id;
}
