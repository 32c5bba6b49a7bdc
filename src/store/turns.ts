/** Work that others must wait for, and work that only has to wait for that: in the order in which they came. */
export class Turns {
  /** Of the work that came last; undefined when nobody has to be waited for. */
  #last: Promise<void> | undefined;

  /** At once, if nobody holds the others up. */
  pass<Result>(work: () => Result): Result | Promise<Result> {
    return this.#last === undefined ? work() : this.#behind(this.#last, work);
  }

  /** Others wait until it has ended, also those that come before it has begun. */
  hold<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#behind(this.#last ?? Promise.resolve(), work);
  }

  #behind<Result>(before: Promise<void>, work: () => Result | Promise<Result>): Promise<Result> {
    const result = before.then(work);
    const ended = () => {
      if (this.#last === last) this.#last = undefined;
    };
    const last = result.then(ended, ended);
    this.#last = last;
    return result;
  }
}
