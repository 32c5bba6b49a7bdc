import type { RecordedEvent } from '../event/codec.ts';

/** A place between two events, and the page that it has come to. */
export class Cursor {
  readonly #pages: AsyncIterator<readonly RecordedEvent[]>;
  #page: readonly RecordedEvent[] = [];
  #index = 0;
  #isAtEnd = false;

  constructor(pages: AsyncIterable<readonly RecordedEvent[]>) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  /** The event behind it, if it has been read. */
  get next(): RecordedEvent | undefined {
    return this.#page[this.#index];
  }

  /** Whether there is no event behind it. */
  get isAtEnd(): boolean {
    return this.#isAtEnd && this.next === undefined;
  }

  /** Reads on, where it has come to the end of its page. */
  async fill(): Promise<void> {
    if (this.next !== undefined || this.#isAtEnd) return;
    const { value, done } = await this.#pages.next();
    this.#isAtEnd = done === true;
    this.#page = done === true ? [] : value;
    this.#index = 0;
  }

  /** Passes one. */
  pass(): void {
    this.#index += 1;
  }

  /** Passes those of its page for which something is true, up to the first for which it is not. */
  passWhile(isMeant: (event: RecordedEvent) => boolean): readonly RecordedEvent[] {
    const end = this.#page.findIndex((event, index) => index >= this.#index && !isMeant(event));
    const passed = this.#page.slice(this.#index, end === -1 ? undefined : end);
    this.#index += passed.length;
    return passed;
  }

  async close(): Promise<void> {
    await this.#pages.return?.();
  }
}
