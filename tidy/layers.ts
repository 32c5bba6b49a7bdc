/** Which folder of src/ may import which: only what stands below it. ARCHITECTURE.md draws it. */
import { isRelative, resolveRelative, specifiersOf } from './imports.ts';
import type { SourceFile } from './source-files.ts';

/** From the top. Neighbours on one line do not import each other. */
const layers: readonly (readonly string[])[] = [
  ['cli', 'server', 'testing'],
  ['engine'],
  ['replay', 'saga', 'migration'],
  ['command', 'projection'],
  ['snapshot', 'schema', 'archive', 'privacy', 'audit'],
  ['store'],
  ['event'],
  ['ground'],
];
const faces = layers[0] ?? [];

/** They implement the port, and are reached through it: what the core needs of Node.js stays in them. */
const backends = ['sqlite', 'postgres', 'nats'];
const belowBackends = ['store', 'event', 'ground'];

/** What imports where it must not, each as a sentence that says what to do. */
export function layerViolations(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => {
    const targets = specifiersOf(file).filter(isRelative);
    return targets.flatMap((specifier) => violation(file.path, resolveRelative(file, specifier)) ?? []);
  });
}

function violation(from: string, to: string): string | undefined {
  if (!to.startsWith('src/')) return `${from} imports ${to}: what is published imports only from src/.`;
  const importer = folderOf(from);
  const imported = folderOf(to);
  for (const folder of [importer, imported]) {
    if (folder !== undefined && !isKnown(folder)) return `src/${folder}/ has no layer: give it one in tidy/layers.ts.`;
  }
  if (importer === imported || mayImport(from, importer, imported)) return undefined;
  return `${from} imports ${to}: imports only point down (tidy/layers.ts). Move what both need to a lower layer.`;
}

/** The folder in src/; undefined for src/index.ts. */
function folderOf(path: string): string | undefined {
  const [, folder, ...rest] = path.split('/');
  return rest.length === 0 ? undefined : folder;
}

function isKnown(folder: string): boolean {
  return layers.flat().includes(folder) || backends.includes(folder);
}

function mayImport(from: string, importer: string | undefined, imported: string | undefined): boolean {
  const isFace = importer !== undefined && faces.includes(importer);
  if (imported === undefined) return isFace;
  const isDoor = importer === undefined || from === `src/${importer}/index.ts`;
  if (isFace || isDoor) return !faces.includes(imported);
  if (backends.includes(importer)) return belowBackends.includes(imported);
  return rankOf(imported) > rankOf(importer);
}

/** Backends have none: nothing but doors and faces may import them. */
function rankOf(folder: string): number {
  return layers.findIndex((layer) => layer.includes(folder));
}
