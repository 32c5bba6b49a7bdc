/** Programs that are run as processes of their own: sources here, bundles side by side where eventsrc is installed. */
import { fileURLToPath } from 'node:url';

const isBundled = import.meta.url.endsWith('.js');

/** @param folder of the sources, below bench/. */
export function programPath(folder: 'large' | 'move', name: string): string {
  return fileURLToPath(new URL(isBundled ? `${name}.js` : `${folder}/${name}.ts`, import.meta.url));
}

export const cliPath: string = fileURLToPath(new URL(isBundled ? 'bin.js' : '../dist/cli/bin.js', import.meta.url));
