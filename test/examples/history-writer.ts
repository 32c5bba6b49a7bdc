import type { GitRepository } from './git-repository.ts';

export type WrittenChange =
  | { readonly path: string | Buffer; readonly mode: '100644' | '100755' | '120000'; readonly content: string }
  | { readonly path: string | Buffer; readonly mode: '160000'; readonly oid: string }
  | { readonly path: string | Buffer; readonly mode: 'deleted' };

interface WrittenCommit {
  readonly changes: readonly WrittenChange[];
  readonly branch?: string;
  /** `Ada <ada@example.org>`, as bytes or text. Default: the committer. */
  readonly author?: string | Buffer;
  /** Marks of commits; the first is the first parent. Default: the branch's last. */
  readonly parents?: readonly number[];
}

/** Writes any history, however odd its names, into a repository by way of `git fast-import`. */
export class HistoryWriter {
  readonly #parts: Buffer[] = [];
  #marks = 0;

  /** Returns its mark. */
  commit({ changes, branch = 'main', parents = [], author }: WrittenCommit): number {
    const mark = ++this.#marks;
    const [first, ...merged] = parents;
    this.#line(`commit refs/heads/${branch}\nmark :${mark}`);
    const time = `${1_600_000_000 + mark * 60} +0100`;
    if (author !== undefined) this.#parts.push(Buffer.from('author '), Buffer.from(author), Buffer.from(` ${time}\n`));
    this.#line(`committer Ada Ahlgren <ada@example.org> ${time}`);
    this.#data(`Commit ${mark}: überall 🍅`);
    if (first !== undefined) this.#line(`from :${first}`);
    for (const parent of merged) this.#line(`merge :${parent}`);
    for (const change of changes) this.#change(change);
    return mark;
  }

  #change(change: WrittenChange): void {
    const path = quote(change.path);
    switch (change.mode) {
      case 'deleted':
        return this.#line(`D ${path}`);
      case '160000':
        return this.#line(`M 160000 ${change.oid} ${path}`);
      default:
        this.#line(`M ${change.mode} inline ${path}`);
        return this.#data(change.content);
    }
  }

  #line(text: string): void {
    this.#parts.push(Buffer.from(`${text}\n`));
  }

  #data(text: string): void {
    this.#line(`data ${Buffer.byteLength(text)}\n${text}`);
  }

  writeTo(repository: GitRepository): void {
    repository.git(['fast-import', '--quiet'], Buffer.concat(this.#parts));
  }
}

function quote(path: string | Buffer): string {
  const escaped = [...Buffer.from(path)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`);
  return `"${escaped.join('')}"`;
}
