import { describe, expect, test } from 'vitest';
import { fileViolations } from './files.ts';
import { sourceFiles } from './source-files.ts';

test('files are small, well named, and export by name', () => {
  expect(fileViolations(sourceFiles(['src', 'test', 'soak', 'tidy', 'scripts', 'examples', 'bench']))).toEqual([]);
});

describe('the checker', () => {
  test.each([
    ['src/store/eventLog.ts', ''],
    ['src/store_log/log.ts', ''],
    ['src/utils/text.ts', ''],
    ['src/store/helpers.ts', ''],
    ['test/store/log-helper.test.ts', ''],
    ['src/store/log.ts', '\n'.repeat(501)],
    ['src/store/log.ts', `export * from './port.ts';\n`],
    ['src/store/log.ts', `export * as port from './port.ts';\n`],
    ['src/store/log.ts', 'export default class Log {}\n'],
    ['src/store/log.ts', 'export { Log as default };\n'],
  ])('finds fault with %s: %j', (path, text) => {
    expect(fileViolations([{ path, text }])).toHaveLength(1);
  });

  test.each([
    ['src/store/event-log.ts', '\n'.repeat(500)],
    ['test/store/log.test.ts', `import { log } from './port.ts';\n`],
    ['bench/vitest.config.ts', 'export default {};\n'],
  ])('has nothing against %s', (path, text) => {
    expect(fileViolations([{ path, text }])).toEqual([]);
  });
});
