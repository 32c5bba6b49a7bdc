import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { action, defineCommand } from '../define.ts';
import { exitCodes } from '../failure.ts';
import { packageRoot } from '../package-root.ts';

interface Options {
  readonly quick?: boolean;
  readonly only?: string;
  readonly dir?: string;
}

/** The bench of the repository without its peers, as the build put it beside this program. */
const program = join(packageRoot, 'dist/cli/bench.js');

export const bench = action<[], Options>(
  defineCommand({
    usage: 'bench',
    summary: 'measure this machine',
    does: 'Measure eventsrc on this machine, and what its disk and SQLite alone can do: some minutes, and some GB of disk. Read the ratios.',
    examples: [
      ['bench --quick', 'shows that it works, not how fast'],
      ['bench --only append.serial,append.c256', 'these rows alone'],
      ['bench --dir /mnt/data --json', 'on another disk; figures for a program'],
    ],
    isStoreless: true,
  })
    .option('--quick', 'a look in half a minute')
    .option('--only <rows>', 'these rows alone, separated by commas')
    .option('--dir <folder>', 'on the disk to be measured (default: the folder for temporary files)'),
  async ({ terminal }, { quick = false, only, dir }) => {
    const args = [
      ...(quick ? ['--quick'] : []),
      ...(only === undefined ? [] : ['--only', only]),
      ...(dir === undefined ? [] : ['--dir', dir]),
      ...(terminal.isJson ? ['--json', '-'] : []),
    ];
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
    const [code] = (await once(child, 'exit')) as [number | null];
    // What is wrong it has said itself.
    return code ?? exitCodes.failed;
  },
);
