import type { RecordedEvent } from '../event/codec.ts';
import { timeText } from './moment-text.ts';
import { Table } from './table.ts';
import type { Column } from './table.ts';
import type { Terminal } from './terminal.ts';

const place: readonly Column<RecordedEvent>[] = [
  { title: 'position', value: ({ position }) => position },
  { title: 'time', value: ({ recordedAt }) => timeText(recordedAt), style: 'dim' },
  { title: 'stream', value: ({ stream }) => stream, style: 'cyan' },
];

const rest: readonly Column<RecordedEvent>[] = [
  { title: 'version', value: ({ version }) => version },
  { title: 'type', value: ({ type }) => type, style: 'bold' },
  { title: 'data', value: ({ data }) => JSON.stringify(data) },
];

/** Of the whole store. */
export function eventTable(terminal: Terminal): Table<RecordedEvent> {
  return new Table(terminal, [...place, ...rest]);
}

/** Of one stream. */
export function historyTable(terminal: Terminal): Table<RecordedEvent> {
  const columns: readonly Column<RecordedEvent>[] = [
    { title: 'version', value: ({ version }) => version },
    { title: 'time', value: ({ recordedAt }) => timeText(recordedAt), style: 'dim' },
    { title: 'kind', value: ({ kind }) => kind },
    { title: 'type', value: ({ type }) => type, style: 'bold' },
    { title: 'actor', value: ({ metadata }) => metadata.actor ?? '' },
    // Whole where it is piped; on a terminal as much as people look at.
    { title: 'id', value: ({ id }) => (terminal.isRich ? id.slice(0, 12) : id), style: 'dim' },
    { title: 'data', value: ({ data }) => JSON.stringify(data) },
  ];
  return new Table(terminal, columns);
}
