import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { backup as copyFile } from '../../sqlite/index.ts';
import type { StoreHead } from '../../store/port.ts';
import { action, defineCommand } from '../define.ts';
import { usageError } from '../failure.ts';
import { bytesText, numberText } from '../moment-text.ts';
import { withProgress } from '../progress.ts';
import type { Session } from '../session.ts';

export const backup = action<[file: string], object>(
  defineCommand({
    usage: 'backup <file>',
    summary: 'make a verified copy while the store is in use',
    does: 'Copy the store, as it is at this moment and while it is in use, into a file of its own, and verify the copy.',
    examples: [
      ['backup bank-2026-01-31.db', 'never overwrites a file'],
      ['backup /mnt/backup/bank.db --store sqlite:bank.db --json', 'for a script'],
    ],
  }),
  async (session, _options, file) => {
    const found = await copy(session, await session.file(), resolve(file));
    await report(session, 'Backed up', found, resolve(file));
  },
);

export const restore = action<[file: string], object>(
  defineCommand({
    usage: 'restore <file>',
    summary: 'bring a backup back',
    does: 'Copy a backup to where the store is to be, and verify the copy. A store that exists is never overwritten.',
    examples: [['restore bank-2026-01-31.db --store sqlite:bank.db', 'bank.db must not exist']],
  }),
  async (session, _options, file) => {
    const target = await session.file();
    if (resolve(file) === target)
      throw usageError('The backup and the store are the same file', 'Name the store with --store sqlite:FILE');
    const found = await copy(session, resolve(file), target);
    await report(session, 'Restored', found, target);
  },
);

function copy({ terminal, signal }: Session, from: string, to: string): Promise<StoreHead> {
  return withProgress(terminal, (progress) =>
    copyFile(from, to, {
      signal,
      onProgress: ({ phase, done, total }) =>
        progress({ title: phase, what: phase === 'copying' ? 'bytes' : 'events', done, total }),
    }),
  );
}

async function report({ terminal }: Session, what: string, found: StoreHead, file: string): Promise<void> {
  const { position: events, streamCount: streams, recordedAt } = found;
  const bytes = statSync(file).size;
  const sentence = `${what} and verified: ${numberText(events)} events in ${numberText(streams)} streams, ${bytesText(bytes)}, ${file}`;
  await terminal.printDone(sentence, { file, events, streams, recordedAt, bytes });
}
