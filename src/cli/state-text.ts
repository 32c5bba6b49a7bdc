/** The state of an instance: laid out where a person looks at it, else a field a line. */
import type { LoadedState } from '../command/boundary.ts';
import type { RecordedEvent } from '../event/codec.ts';
import { numberText, shortTimeText, timeText } from './moment-text.ts';
import { printable } from './printable.ts';
import type { Terminal } from './terminal.ts';
import { flatFields, isPlainObject, layOut } from './value-text.ts';

/** What else is known of where it stands. */
interface Context {
  /** The version of the stream's last event. */
  readonly head?: number;
  /** The last event that it was folded from. */
  readonly last?: RecordedEvent | undefined;
}

export async function printState(
  terminal: Terminal,
  stream: string,
  loaded: LoadedState<unknown>,
  context: Context,
): Promise<void> {
  await (terminal.isRich
    ? printLaidOut(terminal, stream, loaded, context)
    : printFlat(terminal, stream, loaded, context));
}

async function printLaidOut(
  terminal: Terminal,
  stream: string,
  { state: value, version, position, deleted }: LoadedState<unknown>,
  { head = 0, last }: Context,
): Promise<void> {
  const of = version < head ? ` of ${numberText(head)}` : '';
  const facts = [
    `version ${numberText(version)}${of}`,
    ...(last === undefined ? [] : [last.type, shortTimeText(last.recordedAt)]),
    `position ${numberText(position)}`,
  ];
  const title = terminal.style(['bold', 'cyan'], printable(stream));
  const mark = deleted ? `  ${terminal.style(['bold', 'red'], 'deleted')}` : '';
  await terminal.print(`${title}${mark}  ${terminal.style('dim', facts.map(printable).join(' · '))}`);
  // The initial state of what is not there tells nobody anything.
  if (version > 0 && !deleted)
    await terminal.print(
      layOut(terminal, value)
        .map((line) => `  ${line}`)
        .join('\n'),
    );
}

async function printFlat(
  terminal: Terminal,
  stream: string,
  { state: value, version, position, deleted }: LoadedState<unknown>,
  { last }: Context,
): Promise<void> {
  const time = last === undefined ? {} : { time: timeText(last.recordedAt) };
  const fields = isPlainObject(value) && Object.keys(value).length === 0 ? {} : flatFields('state', value);
  await terminal.printFacts({ stream, version, position, ...time, deleted, ...fields });
}
