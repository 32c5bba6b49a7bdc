/** Events with what each of them changed. */
import stringWidth from 'string-width';
import type { RecordedEvent } from '../event/codec.ts';
import type { FieldChange } from '../event/differences.ts';
import { changeLines, changesText } from './change-text.ts';
import { jsonText } from './json-text.ts';
import { shortTimeText, timeText } from './moment-text.ts';
import { printable } from './printable.ts';
import { dataText } from './saga-words.ts';
import { cutTo, Table } from './table.ts';
import type { Terminal } from './terminal.ts';

/** What an event changed of one thing. */
export interface ChangeOf {
  /** The key of the document; absent where there is only one thing that changes. */
  readonly key?: string;
  readonly changes: readonly FieldChange[];
}

export interface EventStep {
  readonly event: RecordedEvent;
  /** Undefined where nobody knows: then the event's data is shown. */
  readonly changed: readonly ChangeOf[] | undefined;
  /** Said beside it. */
  readonly remark?: string;
}

type Style = Parameters<Terminal['style']>[0];

const indent = '      ';

/**
 * Prints events as they come: on a terminal each with its changes below it, field by field; separated by tabs where they are piped.
 * For `--json` whoever has them prints them whole.
 */
export class EventSteps {
  readonly #terminal: Terminal;
  readonly #isOneStream: boolean;
  readonly #table: Table<EventStep>;

  /** @param isOneStream whether they are all of one stream, which then need not be named. @param showsChanges whether anybody knows them. */
  constructor(terminal: Terminal, isOneStream: boolean, showsChanges = true) {
    this.#terminal = terminal;
    this.#isOneStream = isOneStream;
    const place = isOneStream
      ? [{ title: 'version', value: ({ event }: EventStep) => event.version }]
      : [
          { title: 'position', value: ({ event }: EventStep) => event.position },
          { title: 'stream', value: ({ event }: EventStep) => event.stream },
          { title: 'version', value: ({ event }: EventStep) => event.version },
        ];
    this.#table = new Table<EventStep>(terminal, [
      ...place,
      { title: 'time', value: ({ event }) => timeText(event.recordedAt) },
      { title: 'kind', value: ({ event }) => event.kind },
      { title: 'type', value: ({ event }) => event.type },
      { title: 'actor', value: ({ event }) => event.metadata.actor ?? '' },
      { title: 'id', value: ({ event }) => event.id },
      { title: 'data', value: ({ event }) => jsonText(event.data) },
      ...(showsChanges ? [{ title: 'changes', value: ({ changed }: EventStep) => changedText(changed ?? []) }] : []),
    ]);
  }

  async print(steps: readonly EventStep[]): Promise<void> {
    if (!this.#terminal.isRich) return this.#table.print(steps);
    for (const step of steps) await this.#terminal.print([this.#heading(step), ...this.#changeLines(step)].join('\n'));
  }

  /** Which event it is, when, by whom, and as much of its data as there is room for. */
  #heading({ event, remark }: EventStep): string {
    const { version, position, stream, recordedAt, type, kind, metadata } = event;
    const place = this.#isOneStream ? `v${version}`.padStart(5) : `@${position}`.padStart(6);
    const parts: (readonly [text: string, style: Style])[] = [
      [place, 'bold'],
      [shortTimeText(recordedAt), 'dim'],
      ...(this.#isOneStream ? [] : [[`${stream} v${version}`, 'cyan'] as const]),
      [type, kind === 'deleted' ? ['bold', 'red'] : 'bold'],
      ...(metadata.actor === undefined ? [] : [[`by ${metadata.actor}`, 'dim'] as const]),
      ...(remark === undefined ? [] : [[remark, 'yellow'] as const]),
      [dataText(event), 'dim'],
    ];
    const texts: string[] = [];
    let left = this.#terminal.width;
    for (const [text, style] of parts) {
      const cut = cutTo(printable(text), left);
      if (cut !== '') texts.push(this.#terminal.style(style, cut));
      left = Math.max(0, left - stringWidth(cut) - 2);
    }
    return texts.join('  ');
  }

  #changeLines({ changed }: EventStep): readonly string[] {
    if (changed === undefined) return [];
    const terminal = this.#terminal;
    const lines = changed.flatMap(({ key, changes }) => {
      const inner = key === undefined ? indent : `${indent}  `;
      const shown = changeLines(terminal, changes, inner);
      const title =
        key === undefined ? [] : [`${indent}${terminal.style('cyan', printable(key))}${wholeText(changes)}`];
      return shown.length === 0 && key === undefined ? [] : [...title, ...shown];
    });
    return lines.length === 0 ? [terminal.style('dim', `${indent}changed nothing`)] : lines;
  }
}

/** Of a document: whether it came or went. */
function wholeText(changes: readonly FieldChange[]): string {
  const [whole] = changes.filter(({ path }) => path === '');
  if (whole?.before === undefined && whole?.after !== undefined) return ' new';
  if (whole?.before !== undefined && whole.after === undefined) return ' gone';
  return changes.length === 0 ? ' unchanged' : '';
}

function changedText(changed: readonly ChangeOf[]): string {
  return changed
    .map(({ key, changes }) => (key === undefined ? changesText(changes) : `${key} { ${changesText(changes)} }`))
    .filter((text) => text !== '')
    .join('; ');
}
