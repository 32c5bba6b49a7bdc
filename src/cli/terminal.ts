/** Where a command's output goes: coloured on a terminal, plain where it is piped, JSON where that was asked for. */
import { once } from 'node:events';
import { styleText } from 'node:util';
import type { Failure } from './failure.ts';
import { jsonText } from './json-text.ts';
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
    await this.print(jsonText(value));
  }

  /** A table of two columns, or one object. */
  async printFacts(facts: Readonly<Record<string, unknown>>): Promise<void> {
    if (this.isJson) return this.printJson(facts);
    const lines = Object.entries(facts).map(([name, value]) => [
      printable(name),
      printable(typeof value === 'string' ? value : jsonText(value)),
    ]) as [string, string][];
    const width = Math.max(...lines.map(([name]) => name.length));
    for (const [name, text] of lines)
      await this.print(this.isRich ? `  ${this.style('dim', name.padEnd(width))}  ${text}` : `${name}\t${text}`);
  }

  /** The result of work that a person waited for: a sentence, or an object. */
  async printDone(sentence: string, facts: object): Promise<void> {
    if (this.isJson) await this.printJson(facts);
    else await this.print(`${this.style('green', '✔')} ${printable(sentence)}`);
  }

  /** Beside the output. @param facts for programs. */
  note(text: string, facts: object = {}): void {
    this.#tell({ note: text, ...facts }, printable(text));
  }

  warn(text: string): void {
    this.#tell({ warning: text }, `${this.#styleOfErrors('yellow', 'warning:')} ${printable(text)}`);
  }

  fail({ code, summary, remedy }: Failure): void {
    const lines = `${this.#styleOfErrors('red', 'error:')} ${printable(summary)}\n  ${printable(remedy)}`;
    this.#tell({ error: { code, message: summary, remedy } }, lines);
  }

  /** For who asked for it. */
  showStack(stack: string): void {
    this.#tell({ stack }, stack);
  }

  #tell(json: object, text: string): void {
    this.err.write(`${this.isJson ? JSON.stringify(json) : text}\n`);
  }

  #styleOfErrors(style: Style, text: string): string {
    return styleText(style, text, { stream: this.err as NodeJS.WriteStream });
  }

  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.out as NodeJS.WriteStream });
  }
}
