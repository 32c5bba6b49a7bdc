import { SharedFetch } from './shared-fetch.ts';

/** A question whose answer changes: whoever asks while it is being looked at gets the next answer, together with all others who do. */
export class SharedLook<Answer> {
  readonly #answers: SharedFetch<'answer', Answer>;

  constructor(look: () => Promise<Answer>) {
    this.#answers = new SharedFetch(async () => new Map<'answer', Answer>([['answer', await look()]]));
  }

  async ask(): Promise<Answer> {
    return (await this.#answers.ask('answer')) as Answer;
  }
}
