import { bytesOf } from './byte-string.ts';
import { quotePath } from './quote-path.ts';
import type { Tree } from './tree.ts';

const chunkCharacters = 65_536;
const submoduleMode = '160000';

/** The tree as `git ls-tree -r --full-tree` prints it, byte for byte, in pieces of about 64 KiB. */
export function* formatTree(tree: Tree, escapeHighBytes: boolean): Generator<Buffer> {
  let text = '';
  // The default order compares characters, which here are bytes: git's order of full paths.
  for (const path of [...tree.keys()].sort()) {
    const { mode, oid } = tree.get(path) ?? { mode: '', oid: '' };
    text += `${mode} ${mode === submoduleMode ? 'commit' : 'blob'} ${oid}\t${quotePath(path, escapeHighBytes)}\n`;
    if (text.length < chunkCharacters) continue;
    yield bytesOf(text);
    text = '';
  }
  if (text !== '') yield bytesOf(text);
}
