import type { RecordedEvent } from '../event/codec.ts';
import { shortTimeText, timeText } from './moment-text.ts';
import { dataText, stepOf, StepTeller, wordsText } from './saga-words.ts';
import { Table } from './table.ts';
import type { Column } from './table.ts';
import type { Terminal } from './terminal.ts';

type EventColumn = Column<RecordedEvent>;

const position: EventColumn = { title: 'position', value: (event) => event.position };
const stream: EventColumn = { title: 'stream', value: (event) => event.stream, style: 'cyan' };
const version: EventColumn = { title: 'version', value: (event) => event.version };
const type: EventColumn = { title: 'type', value: (event) => event.type, style: 'bold' };
const kind: EventColumn = { title: 'kind', value: (event) => event.kind };
const actor: EventColumn = { title: 'actor', value: ({ metadata }) => metadata.actor ?? '' };

/** Whole where it is piped; on a terminal in words where it has any. */
function data({ isRich }: Terminal): EventColumn {
  return { title: 'data', value: (event) => (isRich ? dataText(event) : JSON.stringify(event.data)) };
}

/** Whole where it is piped; on a terminal as much as people look at. */
function time({ isRich }: Terminal): EventColumn {
  const value = isRich ? shortTimeText : timeText;
  return { title: 'time', value: ({ recordedAt }) => value(recordedAt), style: 'dim' };
}

function id({ isRich }: Terminal): EventColumn {
  return { title: 'id', value: (event) => (isRich ? event.id.slice(0, 12) : event.id), style: 'dim' };
}

/** Of the whole store. */
export function eventTable(terminal: Terminal): Table<RecordedEvent> {
  return new Table(terminal, [position, time(terminal), stream, version, type, data(terminal)]);
}

/** Of one stream. */
export function historyTable(terminal: Terminal): Table<RecordedEvent> {
  return new Table(terminal, [version, time(terminal), kind, type, actor, id(terminal), data(terminal)]);
}

/** Of one instance of a saga, in the order in which it happened. */
export function sagaHistoryTable(terminal: Terminal): Table<RecordedEvent> {
  const teller = new StepTeller(terminal.isRich ? shortTimeText : timeText);
  const step: EventColumn = {
    title: 'step',
    value: (event) => {
      const told = stepOf(event);
      return told === undefined ? event.type : wordsText(teller.tell(told));
    },
  };
  const columns = terminal.isRich
    ? [version, time(terminal), actor, id(terminal), step]
    : [version, time(terminal), kind, type, actor, id(terminal), step, data(terminal)];
  return new Table(terminal, columns);
}
