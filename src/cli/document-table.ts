import { Table } from './table.ts';
import type { Terminal } from './terminal.ts';
import { layOut } from './value-text.ts';

export interface KeyedDocument {
  readonly key: string;
  readonly document: Readonly<Record<string, unknown>>;
}

/** Documents whose fields nobody knows before they are there: as columns where a person looks at them, else as JSON. */
export class DocumentTable {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  async print(documents: readonly KeyedDocument[]): Promise<void> {
    const terminal = this.#terminal;
    if (!terminal.isRich) {
      for (const document of documents) await terminal.printJson(document);
      return;
    }
    const fields = new Set(documents.flatMap(({ document }) => Object.keys(document)));
    const table = new Table<KeyedDocument>(terminal, [
      { title: 'key', value: ({ key }) => key, style: 'cyan' },
      ...[...fields].map((field) => ({
        title: field,
        value: ({ document }: KeyedDocument) => cellOf(document[field]),
      })),
    ]);
    await table.print(documents);
  }

  async printOne({ key, document }: KeyedDocument): Promise<void> {
    const terminal = this.#terminal;
    await (terminal.isRich
      ? terminal.print(
          layOut(terminal, document)
            .map((line) => `  ${line}`)
            .join('\n'),
        )
      : terminal.printJson({ key, document }));
  }
}

function cellOf(value: unknown): string | number {
  if (typeof value === 'string' || typeof value === 'number') return value;
  return value === undefined ? '' : JSON.stringify(value);
}
