/** The console blocks of the documentation: what is typed is run, and must print what stands below it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './source-files.ts';

interface Typed {
  readonly command: string;
  readonly prints: string;
}

/** `$ ` begins a command; what follows is printed by it, `…` standing for anything. */
function typedIn(path: string): readonly Typed[] {
  const text = readFileSync(join(root, path), 'utf8');
  const blocks = [...text.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command = '', ...prints] = part.split('\n');
        return { command, prints: prints.join('\n').trimEnd() };
      }),
  );
}

/** Files that the page shows by `cat` are there before. */
function shownFiles(typed: readonly Typed[]): readonly (readonly [name: string, text: string])[] {
  return typed.flatMap(({ command, prints }) => {
    const name = /^cat (\S+)$/.exec(command)?.[1];
    return name === undefined ? [] : [[name, `${prints}\n`] as const];
  });
}

// As many processes as the page has commands, one after another.
test('docs/cli.md prints what it says', { timeout: 300_000 }, () => {
  const typed = typedIn('docs/cli.md');
  expect(typed.length).toBeGreaterThan(20);
  // Inside the repository, where a config finds `eventsrc` and `zod` as in a user's project.
  mkdirSync(join(root, '.tmp'), { recursive: true });
  const folder = mkdtempSync(join(root, '.tmp/console-'));
  try {
    const bin = join(folder, '.bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'eventsrc'),
      `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/cli/bin.js')}' "$@"\n`,
    );
    chmodSync(join(bin, 'eventsrc'), 0o755);
    for (const [name, text] of shownFiles(typed)) writeFileSync(join(folder, name), text);
    const path = [bin, dirname(process.execPath), process.env['PATH']].join(delimiter);
    // One shell for all: what is exported stays. A line between the outputs tells them apart.
    const script = typed.map(({ command }) => `${command}\nprintf '\\n--next--\\n'`).join('\n');
    const { stdout } = spawnSync('bash', ['-c', `exec 2>&1\n${script}`], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: path, HOME: folder },
    });
    const printed = stdout.split('\n--next--\n');
    for (const [index, { command, prints }] of typed.entries())
      expect(trimmed(printed[index] ?? ''), command).toMatch(patternOf(prints));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Without the spaces at the ends of lines, which nobody sees on a page. */
function trimmed(text: string): string {
  return text.replaceAll(/[ \t]+$/gm, '').trimEnd();
}

function patternOf(prints: string): RegExp {
  const parts = trimmed(prints)
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*')}$`);
}
