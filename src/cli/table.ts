import stringWidth from 'string-width';
import { printable } from './printable.ts';
import type { Terminal } from './terminal.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number;
  readonly style?: Parameters<Terminal['style']>[0];
}

const gap = '  ';
/** Of every column but the last. */
const widthMax = 40;

/**
 * Prints rows as they come: in aligned columns on a terminal, cut to its width; separated by tabs, below their titles,
 * where they are piped; as one object a line for `--json`.
 */
export class Table<Row> {
  readonly #terminal: Terminal;
  readonly #columns: readonly Column<Row>[];
  readonly #toJson: (row: Row) => unknown;
  /** Of each column so far; columns only grow. */
  #widths: number[];
  #isBegun = false;

  constructor(terminal: Terminal, columns: readonly Column<Row>[], toJson: (row: Row) => unknown = (row) => row) {
    this.#terminal = terminal;
    this.#columns = columns;
    this.#toJson = toJson;
    this.#widths = columns.map(({ title }) => title.length);
  }

  async print(rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    const terminal = this.#terminal;
    if (terminal.isJson) return terminal.print(rows.map((row) => JSON.stringify(this.#toJson(row))).join('\n'));
    const texts = rows.map((row) => this.#columns.map(({ value }) => value(row)));
    const lines = terminal.isRich ? this.#aligned(texts) : texts.map((cells) => cells.map(plain).join('\t'));
    if (!this.#isBegun) lines.unshift(this.#header());
    this.#isBegun = true;
    await terminal.print(lines.join('\n'));
  }

  #header(): string {
    const titles = this.#columns.map(({ title }) => title);
    if (!this.#terminal.isRich) return titles.join('\t');
    return this.#terminal.style('dim', titles.map((title, index) => this.#pad(title, index)).join(gap));
  }

  #aligned(rows: readonly (readonly (string | number)[])[]): string[] {
    const texts = rows.map((cells) => cells.map((cell) => printable(String(cell))));
    this.#widths = this.#widths.map((width, index) =>
      Math.min(widthMax, Math.max(width, ...texts.map((cells) => stringWidth(cells[index] ?? '')))),
    );
    const last = this.#columns.length - 1;
    return texts.map((cells, row) => {
      let left = this.#terminal.width;
      const shown = cells.map((cell, index) => {
        const own = this.#widths[index] ?? 0;
        const isNumber = typeof rows[row]?.[index] === 'number';
        const cut = this.#pad(cutTo(cell, Math.min(left, index === last ? left : own)), index, isNumber);
        left = Math.max(left - own - gap.length, 0);
        const { style } = this.#columns[index] as Column<Row>;
        return style === undefined ? cut : this.#terminal.style(style, cut);
      });
      return shown.join(gap).trimEnd();
    });
  }

  /** The last column is as long as it is. */
  #pad(text: string, index: number, isRight = false): string {
    if (index === this.#columns.length - 1 && !isRight) return text;
    const space = ' '.repeat(Math.max((this.#widths[index] ?? 0) - stringWidth(text), 0));
    return isRight ? space + text : text + space;
  }
}

/** A tab or a line feed would make two cells or rows of one. */
function plain(cell: string | number): string {
  return printable(String(cell));
}

function cutTo(text: string, width: number): string {
  if (text.length <= width && stringWidth(text) <= width) return text;
  let cut = '';
  let used = 1;
  for (const { segment } of new Intl.Segmenter().segment(text.slice(0, width + 1))) {
    used += stringWidth(segment);
    if (used > width) break;
    cut += segment;
  }
  return width > 0 ? `${cut}…` : '';
}
