/** Where a command's output goes: coloured on a terminal, plain where it is piped, JSON where that was asked for. */
import { once } from 'node:events';
import { styleText } from 'node:util';
import type { Failure } from './failure.ts';
import { printable } from './printable.ts';

type Style = Parameters<typeof styleText>[0];

export interface Output extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export class Terminal {
  readonly out: Output;
  readonly err: Output;
  /** Whether results are printed as JSON, one value a line. */
  readonly isJson: boolean;

  constructor(out: Output, err: Output, isJson: boolean) {
    this.out = out;
    this.err = err;
    this.isJson = isJson;
  }

  /** Whether a person looks at what is printed. */
  get isRich(): boolean {
    return this.out.isTTY === true && !this.isJson;
  }

  get width(): number {
    const { columns = 0 } = this.out;
    return columns > 0 ? columns : 120;
  }

  /** Resolves when there is room for more. */
  async print(text: string): Promise<void> {
    if (!this.out.write(`${text}\n`)) await once(this.out, 'drain');
  }

  async printJson(value: unknown): Promise<void> {
    await this.print(JSON.stringify(value));
  }

  /** A table of two columns, or one object. */
  async printFacts(facts: Readonly<Record<string, unknown>>, title?: string): Promise<void> {
    if (this.isJson) return this.printJson(facts);
    if (title !== undefined && this.isRich) await this.print(this.style('bold', printable(title)));
    const width = Math.max(...Object.keys(facts).map((name) => name.length));
    for (const [name, value] of Object.entries(facts)) {
      const text = printable(typeof value === 'string' ? value : JSON.stringify(value));
      await this.print(this.isRich ? `  ${this.style('dim', name.padEnd(width))}  ${text}` : `${name}\t${text}`);
    }
  }

  /** The result of work that a person waited for: a sentence, or an object. */
  async printDone(sentence: string, facts: object): Promise<void> {
    if (this.isJson) await this.printJson(facts);
    else await this.print(`${this.style('green', '✔')} ${sentence}`);
  }

  /** For people, beside the output. */
  note(text: string): void {
    this.err.write(`${text}\n`);
  }

  warn(text: string): void {
    this.note(`${styleText('yellow', 'warning:', { stream: this.err as NodeJS.WriteStream })} ${printable(text)}`);
  }

  fail({ code, summary, remedy }: Failure): void {
    if (this.isJson) return this.note(JSON.stringify({ error: { code, message: summary, remedy } }));
    this.note(`${styleText('red', 'error:', { stream: this.err as NodeJS.WriteStream })} ${printable(summary)}`);
    this.note(`  ${printable(remedy)}`);
  }

  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.out as NodeJS.WriteStream });
  }
}
