/** What is, and what would be, for people and for programs that read lines. */
import type { RecordedEvent } from '../event/codec.ts';
import type { FieldChange } from '../event/differences.ts';
import type { DocumentsWhatIf, EventCounts, Parting, WhatIf } from '../replay/past.ts';
import { changeTable } from './change-table.ts';
import type { ChangeRow } from './change-table.ts';
import { changeLines, expanded } from './change-text.ts';
import { EventSteps } from './event-steps.ts';
import { eventsText, numberText } from './moment-text.ts';
import { printable } from './printable.ts';
import type { Terminal } from './terminal.ts';
import type { Instance, OneDocument, WholeView } from './time-subject.ts';

const titles = { before: 'as it is', after: 'as it would be' } as const;

export async function printValue(
  terminal: Terminal,
  { kind, name }: Instance | OneDocument | WholeView,
  { changes, firstDifference, events }: WhatIf<unknown, RecordedEvent>,
): Promise<void> {
  if (terminal.isRich) await terminal.print(heading(terminal, name, events));
  if (changes.length === 0) await terminal.print(sameText(firstDifference !== undefined));
  else if (terminal.isRich) await terminal.print(changeLines(terminal, changes, '  ', titles).join('\n'));
  else await changeTable(terminal, titles).print([...expanded(changes)]);
  if (firstDifference !== undefined) await printParting(terminal, firstDifference, kind === 'instance');
}

export async function printDocuments(
  terminal: Terminal,
  name: string,
  { compared, differing, differences, firstDifference, events }: DocumentsWhatIf<unknown, RecordedEvent>,
): Promise<void> {
  if (terminal.isRich) await terminal.print(heading(terminal, name, events));
  if (differing === 0) await terminal.print(sameText(firstDifference !== undefined));
  else if (terminal.isRich) {
    await terminal.print(terminal.style('dim', `  ${titles.before} → ${titles.after}`));
    for (const { key, changes } of differences) {
      const lines = changeLines(terminal, changes, '    ');
      await terminal.print([`  ${terminal.style('cyan', printable(key))}`, ...lines].join('\n'));
    }
  } else
    await changeTable(terminal, { ...titles, key: 'key' }).print(
      differences.flatMap(({ key, changes }) => rowsOf(key, changes)),
    );
  if (differing > 0)
    terminal.note(
      `${numberText(differing)} of ${numberText(compared)} documents would differ${differing > differences.length ? `; the first ${differences.length} are shown` : ''}`,
    );
  if (firstDifference !== undefined) await printParting(terminal, firstDifference, false);
}

function heading(terminal: Terminal, name: string, { actual, hypothetical }: EventCounts): string {
  const counts = `folded from ${eventsText(actual)}; as it would be, from ${numberText(hypothetical)}`;
  return `${terminal.style(['bold', 'cyan'], printable(name))}  ${terminal.style('dim', counts)}`;
}

function sameText(isSameAgain: boolean): string {
  return isSameAgain ? 'It would be the same in the end.' : 'It would be the same all along.';
}

const remarks = { happened: 'from here on', left_out: 'left out', added: 'added' } as const;

async function printParting(
  terminal: Terminal,
  { event, kind, changes, key }: Parting<RecordedEvent> & { readonly key?: string },
  isOneStream: boolean,
): Promise<void> {
  if (!terminal.isRich) {
    const { version, position, type, stream } = event;
    await terminal.print('');
    await terminal.printFacts({ 'they part at': type, stream, version, position, what: remarks[kind] });
    return;
  }
  await terminal.print(`\n${terminal.style('dim', 'They part at')}`);
  const steps = new EventSteps(terminal, isOneStream);
  const changed = key === undefined ? { changes } : { key, changes };
  await steps.print([{ event, changed: [changed], remark: remarks[kind] }]);
}

function rowsOf(key: string, changes: readonly FieldChange[]): readonly ChangeRow[] {
  return [...expanded(changes)].map((change) => ({ key, ...change }));
}
