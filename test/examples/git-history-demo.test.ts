import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary.ts';
import { startExample } from './example-process.ts';

describe('the demo of git-history', () => {
  test.each([
    ['over whatever history this folder has', {}],
    ['over the bundled history where there is no git', { PATH: '/nowhere' }],
  ])('tells its story %s, and cleans up', async (_, variables) => {
    const folder = await temporaryFolder();
    const { code, stdout, stderr } = await startExample('git-history/demo', [], { TMPDIR: folder, ...variables }).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const text = stdout.toString('utf8');
    for (const part of [
      /✓ [\d,]+ commits, [\d,]+ events in [\d,]+ streams/,
      /\d{4}-\d\d-\d\d {2}[\da-f]{10} +\+\d+ +~0 +-0 +[\d,]+ files? .*\n(.* files? .*\n){2,11}\n4 {2}A race\n/,
      /✓ (Ann|Ben): appended, version \d+\n/,
      /✗ (Ann|Ben): version_conflict, expected \d+, actual \d+/,
      /✗ killed \(SIGKILL\) when it had confirmed \d+ of/,
      /The file holds \d+ whole commits, and no part of another/,
      /✓ now the same as the undisturbed import/,
    ]) {
      expect(text).toMatch(part);
    }
    expect(text, 'plain where it is not read by a terminal').not.toContain('\x1b');
    expect(readdirSync(folder)).toEqual([]);
  });
});
