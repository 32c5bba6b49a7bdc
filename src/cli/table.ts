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
    return this.#terminal.style('dim', this.#placed(titles, []).join(gap).trimEnd());
  }

  #aligned(rows: readonly (readonly (string | number)[])[]): string[] {
    const texts = rows.map((cells) => cells.map((cell) => printable(String(cell))));
    this.#widths = this.#widths.map((width, index) =>
      Math.min(widthMax, Math.max(width, ...texts.map((cells) => stringWidth(cells[index] ?? '')))),
    );
    return rows.map((cells, row) => {
      const isNumber = cells.map((cell) => typeof cell === 'number');
      const placed = this.#placed(texts[row] ?? [], isNumber);
      const styled = placed.map((text, index) => {
        const { style } = this.#columns[index] as Column<Row>;
        return style === undefined ? text : this.#terminal.style(style, text);
      });
      return styled.join(gap).trimEnd();
    });
  }

  /** Each text cut and padded to its column, numbers to the right, as far as the terminal reaches. */
  #placed(texts: readonly string[], isNumber: readonly boolean[]): readonly string[] {
    const placed: string[] = [];
    let left = this.#terminal.width;
    for (const [index, text] of texts.entries()) {
      if (left <= 0) break;
      const isLast = index === this.#columns.length - 1;
      const width = isLast ? left : Math.min(left, this.#widths[index] ?? 0);
      const cut = cutTo(text, width);
      const space = ' '.repeat(isLast ? 0 : width - stringWidth(cut));
      placed.push(isNumber[index] === true ? space + cut : cut + space);
      left -= width + gap.length;
    }
    return placed;
  }
}

/** A tab or a line feed would make two cells or rows of one. */
function plain(cell: string | number): string {
  return printable(String(cell));
}

/** A text cut or filled up to so many columns. */
export function fitted(text: string, width: number): string {
  const cut = cutTo(text, width);
  return cut + ' '.repeat(Math.max(0, width - stringWidth(cut)));
}

/** As much of a text as goes into so many columns; `…` stands for the rest. */
export function cutTo(text: string, width: number): string {
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
