/**
 * A question whose answer changes. Whoever asks while an answer is under way gets the next one, together with all others who do: no answer
 * is older than its question, and however many ask, there is one at a time.
 */
export class SharedLook<Answer> {
  readonly #look: () => Promise<Answer>;
  #current: Promise<unknown> | undefined;
  #next: Promise<Answer> | undefined;

  constructor(look: () => Promise<Answer>) {
    this.#look = look;
  }

  ask(): Promise<Answer> {
    this.#next ??= this.#after(this.#current);
    return this.#next;
  }

  async #after(current: Promise<unknown> | undefined): Promise<Answer> {
    // Whoever asked before has been told if it failed.
    await current?.catch(() => {});
    this.#current = this.#next;
    this.#next = undefined;
    return this.#look();
  }
}
