import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { sqlite } from 'eventsrc/sqlite';
import { openHistory } from '../events.ts';
import type { HistoryLog } from '../events.ts';
import type { HistorySource } from '../history-source.ts';
import { importHistory } from '../import-history.ts';
import type { DemoSourceName } from './demo-source.ts';
import { bad, chapter, count, good, line } from '../../narrator.ts';

const victimFile = fileURLToPath(new URL('slow-import.ts', import.meta.url));

/** Kills an import in the middle, starts it again, and compares with the log of one that was not disturbed. */
export async function showRecovery(
  source: HistorySource,
  name: DemoSourceName,
  file: string,
  undisturbed: { readonly log: HistoryLog; readonly position: number },
): Promise<void> {
  chapter(
    'A kill and a recovery',
    'A second import, into another file and in a process of its own, is killed in the middle of its work.',
  );
  const total = (await source.countAfter(null)) ?? 0;
  const reported = await killInTheMiddle(file, name, Math.min(Math.floor(total / 2), 30));
  bad(`killed (SIGKILL) when it had confirmed ${reported} of ${count(total, 'commit')}`);

  await using log = await openHistory(sqlite(file));
  const { whole, torn } = await inspect(log);
  line(
    `The file holds ${count(whole, 'whole commit')}, and ${torn === 0 ? 'no part of another' : `${count(torn, 'event')} of another`}.`,
  );
  const { commits } = await importHistory(log, source);
  good(`started again: it recorded the ${commits.toLocaleString('en')} that were missing`);

  const [recovered, reference] = [await digestOf(log), await digestOf(undisturbed.log, undisturbed.position)];
  if (recovered.digest === reference.digest) {
    good(
      `now the same as the undisturbed import: ${count(recovered.events, 'event')}, same order, digest ${recovered.digest.slice(0, 16)}`,
    );
  } else {
    bad(`not the same as the undisturbed import: ${recovered.events} events instead of ${reference.events}`);
    process.exitCode = 1;
  }
}

/** Resolves with the number of commits that the import had confirmed when it was killed. */
async function killInTheMiddle(file: string, name: DemoSourceName, after: number): Promise<number> {
  const victim = fork(victimFile, [file, name]);
  let reported = 0;
  victim.on('message', (done) => {
    reported = Number(done);
    if (reported >= after) victim.kill('SIGKILL');
  });
  const [code] = await once(victim, 'exit');
  if (code !== null) throw new Error(`The import that was to be killed ended by itself, with exit code ${code}`);
  return reported;
}

/** How many commits are there, and how many events after the last of them. */
async function inspect(log: HistoryLog): Promise<{ readonly whole: number; readonly torn: number }> {
  let whole = 0;
  let torn = 0;
  for await (const page of log.read()) {
    for (const { type } of page) {
      torn = type === 'CommitRecorded' ? 0 : torn + 1;
      if (type === 'CommitRecorded') whole += 1;
    }
  }
  return { whole, torn };
}

/** Over everything but the time: what happened, where, in which order. */
async function digestOf(
  log: HistoryLog,
  until = Infinity,
): Promise<{ readonly events: number; readonly digest: string }> {
  const digest = createHash('sha256');
  let events = 0;
  for await (const page of log.readRecorded({ until })) {
    for (const { stream, version, position, bodyDigest } of page) {
      digest.update(`${position} ${version} ${stream}\n`).update(bodyDigest);
      events += 1;
    }
  }
  return { events, digest: digest.digest('hex') };
}
