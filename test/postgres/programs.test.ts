/** The command line and both examples, with a server instead of a file: what they print is the same. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli } from '../cli/cli-process.ts';
import { fromText } from '../../examples/git-history/byte-string.ts';
import { gitHistory } from '../examples/example-process.ts';
import type { Ended } from '../examples/example-process.ts';
import { authorChurnOfGit, authorsOfGit, byName, commitsOfGit } from '../examples/git-churn.ts';
import { GitRepository, hasGit } from '../examples/git-repository.ts';
import { oddHistory } from '../examples/odd-history.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';

const newSchema = postgresSchemas();

function newUrl(): string {
  const { url, schema } = newSchema();
  return `${url}?schema=${schema}`;
}

async function lines(...args: readonly string[]): Promise<readonly string[]> {
  const { code, stdout, stderr } = await cli(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('error') });
  return stdout.trimEnd().split('\n');
}

test('the ticket shop is played on a server, looked at, and copied to a file and back', async () => {
  const url = newUrl();
  const story = (await lines('demo', url)).join('\n');
  expect(story).toMatch(/✓ Cleo tries again: OrderShipped version 3 \(the kept receipt/);
  expect(story).toMatch(/The payment service’s book has 1 charge of Leo’s\.\n/);
  const events = await lines('read', '--store', url, '--json');
  const again = await cli(['demo', url]);
  expect(again).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/holds events already\n {2}Name another schema/),
  });
  const file = `sqlite:${join(await temporaryFolder(), 'shop.db')}`;
  const back = newUrl();
  await lines('copy', '--from', url, '--to', file);
  await lines('copy', '--from', file, '--to', back);
  for (const copy of [file, back]) expect(await lines('read', '--store', copy, '--json')).toEqual(events);
  expect(await lines('stats', '--store', back)).toContain(`events\t${events.length}`);
});

test('a store that is only looked at is not made', async () => {
  const url = newUrl();
  for (const look of ['stats', 'streams', 'read']) {
    const { code, stderr } = await cli([look, '--store', url]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: There is no postgres:.*\n {2}Check the name/);
  }
  expect(await lines('migrate', '--store', url, '--partitions', '2')).toEqual([
    expect.stringMatching(/is up to date; it holds 0 events/),
  ]);
  expect(await lines('stats', '--store', url)).toContain('events\t0');
});

test('passwords are never shown', async () => {
  const url = 'postgres://nobody:geheim@127.0.0.1:1/none';
  // Each of them waits for a while, in case the server comes back.
  const typed = [
    ['stats', '--store', url],
    ['backup', 'x.db', '--store', url],
    ['migrate', '--store', `${url}?schema=A`],
    ['demo', url],
  ];
  for (const { code, stdout, stderr } of await Promise.all(typed.map((args) => cli([...args, '--json'])))) {
    expect(code).not.toBe(0);
    expect(stdout + stderr).not.toContain('geheim');
  }
});

test.skipIf(!hasGit)('a git history is kept on a server (skipped without git)', async () => {
  const repository = await GitRepository.create();
  oddHistory(3, 25).writeTo(repository);
  const url = newUrl();
  const imported = await gitHistory(['import', repository.folder, '--store', url, '--json']);
  expect(JSON.parse(imported.stdout.toString('utf8'))).toMatchObject({ commits: 25 });
  for (const id of repository.firstParents()) {
    const { code, stdout, stderr } = await gitHistory(['tree', id, '--store', url]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.equals(repository.lsTree(id))).toBe(true);
  }
  const played = await gitHistory(['play', '--speed', 'unthrottled', '--store', url, '--json']);
  expect(played.stdout.toString('utf8').trimEnd().split('\n')).toHaveLength(25);
  const commits = commitsOfGit(repository);
  const prefixed = await gitHistory(['churn', '--by=author', '--path=é', '--top=99', '--store', url, '--json']);
  expect(rowsOf(prefixed)).toEqual(authorChurnOfGit(commits, fromText('é')));
  const authors = await gitHistory(['authors', '--store', url, '--json']);
  expect(rowsOf(authors)).toEqual(authorsOfGit(commits));
});

function rowsOf({ code, stdout, stderr }: Ended): readonly { readonly author: string }[] {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return (JSON.parse(stdout.toString('utf8')) as { author: string }[]).sort(byName('author'));
}
