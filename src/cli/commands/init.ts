import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { EngineError } from '../../ground/errors.ts';
import { action, defineCommand } from '../define.ts';
import { packageRoot, packageVersion } from '../package-root.ts';

/** Copied as they are; type-checked and tested where they come from. */
const templates = ['eventsrc.config.ts', 'account.ts', 'account.test.ts', 'balances.ts', 'balances.test.ts'];

/** Written only where there is none. */
const project: Readonly<Record<string, (folder: string) => object>> = {
  'package.json': (folder) => ({
    name:
      basename(folder)
        .toLowerCase()
        .replace(/[^a-z0-9._-]+/g, '-')
        .replace(/^[._-]+/, '') || 'app',
    version: '0.0.0',
    private: true,
    type: 'module',
    scripts: { test: 'node --test', types: 'tsc' },
    dependencies: { eventsrc: `^${packageVersion}`, zod: '^4.0.0' },
    devDependencies: { '@types/node': '>=24', typescript: '>=5.9' },
    engines: { node: '>=24.15' },
  }),
  'tsconfig.json': () => ({
    compilerOptions: {
      target: 'es2024',
      module: 'nodenext',
      types: ['node'],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      erasableSyntaxOnly: true,
      allowImportingTsExtensions: true,
      verbatimModuleSyntax: true,
    },
  }),
};

export const init = action<[folder?: string], object>(
  defineCommand({
    usage: 'init [folder]',
    summary: 'write a config, a first aggregate, a first view and their tests',
    does: 'Write a config, a first aggregate, a first view and their tests into a folder. Nothing is overwritten.',
    examples: [
      ['init my-app', 'then: cd my-app && npm install && npm test'],
      ['init', 'into the current folder'],
    ],
    isStoreless: true,
  }),
  async ({ terminal }, _options, given = '.') => {
    const folder = resolve(given);
    const taken = templates.map((name) => join(folder, name)).find(existsSync);
    if (taken !== undefined) throw new EngineError('file_exists', { file: taken });
    mkdirSync(folder, { recursive: true });
    const written = Object.entries(project).filter(([name]) => !existsSync(join(folder, name)));
    for (const name of templates)
      writeNew(join(folder, name), readFileSync(join(packageRoot, 'template', name), 'utf8'));
    for (const [name, make] of written) writeNew(join(folder, name), `${JSON.stringify(make(folder), null, 2)}\n`);
    const files = [...templates, ...written.map(([name]) => name)];
    await terminal.printDone(`Wrote ${files.join(', ')}`, { folder, files });
    if (terminal.isJson) return;
    const steps = [
      ...(relative(process.cwd(), folder) === '' ? [] : [`cd ${relative(process.cwd(), folder)}`]),
      written.some(([name]) => name === 'package.json') ? 'npm install' : 'npm install eventsrc zod',
      'node --test',
      `npx eventsrc execute account.open 1 '{"owner": "Ada"}'`,
      'npx eventsrc state account-1',
      'npx eventsrc rebuild balances',
      'npx eventsrc query balances --order-by balance:desc',
    ];
    await terminal.print(`\nNext:\n${steps.map((step) => `  ${step}`).join('\n')}`);
  },
);

function writeNew(file: string, text: string): void {
  writeFileSync(file, text, { flag: 'wx' });
}
