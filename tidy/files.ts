import type { SourceFile } from './source-files.ts';

const linesMax = 500;
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const vagueWord = /(^|-)(utils?|helpers?|common|managers?)$/;
const configFile = /\.config\.m?[tj]s$/;

/** What is wrong with the shape of files, each as a sentence that says what to do. */
export function fileViolations(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) =>
    [...pathFaults(path), ...textFaults(path, text)].map((fault) => `${path} ${fault}`),
  );
}

function pathFaults(path: string): readonly string[] {
  // Of `log.test.ts` the name is `log`; what follows says what kind of file it is.
  const names = path.split('/').map((part) => part.split('.', 1).join(''));
  return names.flatMap((name) => {
    if (!kebabCase.test(name)) return [`has a name, ${name}, that is not in kebab-case: rename it.`];
    if (vagueWord.test(name)) return [`has a name, ${name}, that tells nothing: name it after what it holds.`];
    return [];
  });
}

function textFaults(path: string, text: string): readonly string[] {
  const faults: string[] = [];
  const lineCount = text.split('\n').length - 1;
  if (lineCount > linesMax) faults.push(`has ${lineCount} lines, more than ${linesMax}: split it by concept.`);
  if (/^export\s+\*/m.test(text)) faults.push('has an `export *`: name what it exports.');
  if (/^export\s+(default\b|\{[^}]*\bas\s+default\b)/m.test(text) && !configFile.test(path)) {
    faults.push('has a default export: name it.');
  }
  return faults;
}
