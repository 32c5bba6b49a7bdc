import { defineConfig } from 'vitest/config';

const isSoak = process.env['SOAK'] !== undefined;

export default defineConfig({
  test: {
    // Only folders of our own: node_modules/eventsrc is a link to this one, and must not be walked through.
    include: ['test/**/*.test.ts', isSoak ? 'soak/**/*.test.ts' : 'tidy/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    // A process per file, so that worker threads, child processes and signals behave as they do for users.
    pool: 'forks',
    // All cores; by default one of them is left to whoever waits.
    maxWorkers: '100%',
    testTimeout: isSoak ? 3_600_000 : 60_000,
    hookTimeout: isSoak ? 3_600_000 : 60_000,
  },
});
