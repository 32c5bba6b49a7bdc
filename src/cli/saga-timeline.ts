import stringWidth from 'string-width';
import type { RecordedEvent } from '../event/codec.ts';
import { shortTimeText, timeText } from './moment-text.ts';
import { printable } from './printable.ts';
import { stepOf, StepTeller } from './saga-words.ts';
import type { StepWords } from './saga-words.ts';
import { cutTo, Table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface Told {
  readonly event: RecordedEvent;
  readonly words: StepWords;
}

/** Prints the steps of one instance as they come: on a terminal each with what followed below it; where they are piped, one a line. */
export class SagaTimeline {
  readonly #terminal: Terminal;
  readonly #teller: StepTeller;
  readonly #table: Table<Told>;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#teller = new StepTeller(terminal.isRich ? shortTimeText : timeText);
    this.#table = new Table<Told>(terminal, [
      { title: 'version', value: ({ event }) => event.version },
      { title: 'time', value: ({ event }) => timeText(event.recordedAt) },
      { title: 'actor', value: ({ event }) => event.metadata.actor ?? '' },
      { title: 'step', value: ({ words }) => words.what },
      { title: 'then', value: ({ words }) => words.followed.join('; ') },
    ]);
  }

  async print(events: readonly RecordedEvent[]): Promise<void> {
    const told = events.map((event) => ({ event, words: this.#wordsOf(event) }));
    if (!this.#terminal.isRich) return this.#table.print(told);
    if (told.length > 0) await this.#terminal.print(told.flatMap((one) => this.#lines(one)).join('\n'));
  }

  /** Of what is no step, its type is all that is known. */
  #wordsOf(event: RecordedEvent): StepWords {
    const step = stepOf(event);
    return step === undefined ? { what: event.type, followed: [] } : this.#teller.tell(step);
  }

  #lines({ event, words: { what, followed } }: Told): readonly string[] {
    const terminal = this.#terminal;
    const { version, recordedAt, metadata } = event;
    const place = `v${version}`.padStart(5);
    const time = shortTimeText(recordedAt);
    const by = metadata.actor === undefined ? '' : `  by ${printable(metadata.actor)}`;
    const indent = ' '.repeat(place.length + time.length + 4);
    const left = terminal.width - indent.length;
    const said = cutTo(printable(what), Math.max(12, left - stringWidth(by)));
    return [
      `${terminal.style('bold', place)}  ${terminal.style('dim', time)}  ${said}${terminal.style('dim', by)}`,
      ...followed.map(
        (text) => `${indent}${terminal.style('dim', '→')} ${cutTo(printable(text), Math.max(12, left - 2))}`,
      ),
    ];
  }
}
