import { describe, expect, test } from 'vitest';
import { layerViolations } from './layers.ts';
import { sourceFiles } from './source-files.ts';

test('imports in src only point down', () => {
  expect(layerViolations(sourceFiles(['src']))).toEqual([]);
});

describe('the checker', () => {
  test.each([
    ['src/event/json.ts', `import { openLog } from '../store/log.ts';`],
    ['src/store/log.ts', `export { sqlite } from '../sqlite/store.ts';`],
    ['src/store/log.ts', `const { sqlite } = await import('../sqlite/store.ts');`],
    ['src/engine/engine.ts', `import { sqlite } from '../sqlite/index.ts';`],
    ['src/engine/engine.ts', `import { memory } from '../index.ts';`],
    ['src/sqlite/store.ts', `import type { Engine } from '../engine/engine.ts';`],
    ['src/sqlite/store.ts', `import { pool } from '../postgres/pool.ts';`],
    ['src/sqlite/store.ts', `new Worker(new URL('../server/thread.ts', import.meta.url));`],
    ['src/projection/view.ts', `import { decide } from '../command/decide.ts';`],
    ['src/testing/suite.ts', `import { serve } from '../server/index.ts';`],
    ['src/sqlite/index.ts', `import { serve } from '../server/index.ts';`],
    ['src/index.ts', `export { serve } from './server/index.ts';`],
    ['src/store/log.ts', `import { root } from '../../tidy/source-files.ts';`],
    ['src/unheard-of/thing.ts', `import { sha256 } from '../ground/digest.ts';`],
  ])('finds fault with %s: %s', (path, text) => {
    expect(layerViolations([{ path, text }])).toHaveLength(1);
  });

  test.each([
    ['src/event/json.ts', `import { sha256 } from '../ground/digest.ts';`],
    ['src/store/log.ts', `// import { openEngine } from '../engine/engine.ts';`],
    ['src/sqlite/store.ts', `import type { EventStore } from '../store/port.ts';`],
    ['src/sqlite/store.ts', `new Worker(new URL('./writer-thread.ts', import.meta.url));`],
    ['src/postgres/index.ts', `import { openEngine } from '../engine/engine.ts';`],
    ['src/server/routes.ts', `import { openEngine } from '../index.ts';`],
    ['src/testing/suite.ts', `import { sqlite } from '../sqlite/index.ts';`],
    ['src/index.ts', `export { memory } from './store/memory.ts';`],
  ])('has nothing against %s: %s', (path, text) => {
    expect(layerViolations([{ path, text }])).toEqual([]);
  });
});
