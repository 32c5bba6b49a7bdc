/** A model as an event model to be looked at: a flowchart in Mermaid (https://mermaid.js.org/syntax/flowchart.html). */
import { nameOf } from './declared.ts';
import { inOrder, refKey } from './event-model.ts';
import type { EventModel, EventRef, ModelEvent } from './event-model.ts';
import { label, yamlString } from './mermaid-text.ts';

/** Shapes, by kind of node: what stands before and behind its label. */
const shapes = {
  command: ['[', ']'],
  decision: ['[/', '/]'],
  aggregate: ['{{', '}}'],
  event: ['(', ')'],
  view: ['[(', ')]'],
  reactor: ['[[', ']]'],
  saga: ['([', '])'],
  activity: ['>', ']'],
} as const;

/** As many does Mermaid draw by default, less one. */
const arrowsMax = 500;

type Kind = keyof typeof shapes;

/** The colours of event storming and event modelling, all with black text: legible on a dark page as well. */
const colours: Readonly<Record<Kind | 'retired', string>> = {
  command: 'fill:#a9d2ff,stroke:#3b78b5,color:#000',
  decision: 'fill:#a9d2ff,stroke:#3b78b5,color:#000',
  aggregate: 'fill:#fff3b0,stroke:#b59b2c,color:#000',
  event: 'fill:#ffc48a,stroke:#c2711f,color:#000',
  view: 'fill:#c3e6b1,stroke:#5b9440,color:#000',
  reactor: 'fill:#f2c6de,stroke:#a8557f,color:#000',
  saga: 'fill:#dcc6f2,stroke:#7d55a8,color:#000',
  activity: 'fill:#eeeeee,stroke:#777777,color:#000',
  retired: 'fill:#eeeeee,stroke:#c2711f,color:#000,stroke-dasharray:4',
};

/**
 * Commands lead to events, events to views and sagas, sagas to commands, activities and further sagas. Which events a command appends is
 * mostly not known: then it leads to its aggregate, and that to its events. Who handles all events of an aggregate gets one arrow for them
 * all, or nobody could follow the others.
 */
export function mermaidFlowchart(model: EventModel): string {
  return new Flowchart(inOrder(model)).text();
}

class Flowchart {
  readonly #model: EventModel;
  readonly #lines: string[] = [];
  readonly #arrows = new Set<string>();
  readonly #used = new Set<Kind | 'retired'>();
  /** Ids, by kind and name: numbers, as names may be words of the language. */
  readonly #ids = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  #isInGroup = false;

  constructor(model: EventModel) {
    this.#model = model;
  }

  text(): string {
    const { title } = this.#model;
    this.#addAggregates();
    this.#addDecisions();
    this.#addViews();
    this.#addSagas();
    const classes = (Object.keys(colours) as (Kind | 'retired')[])
      .filter((kind) => this.#used.has(kind))
      .map((kind) => `  classDef ${kind} ${colours[kind]}`);
    const head = ['---', `title: ${yamlString(title)}`, '---', 'flowchart LR'];
    if (this.#arrows.size >= arrowsMax)
      head.push(`  %% ${this.#arrows.size} arrows: Mermaid draws them if its maxEdges is raised.`);
    return `${[...head, ...this.#lines, ...this.#arrows, ...classes].join('\n')}\n`;
  }

  #addAggregates(): void {
    const { aggregates, events } = this.#model;
    const names = new Set(aggregates.map(({ name }) => name));
    for (const { name, commands } of aggregates) {
      const own = events.filter(({ owner }) => owner === name);
      this.#beginGroup(this.#id('group', name), name);
      for (const command of commands) this.#node('command', `${name}.${command.name}`, command.name);
      const isVague = commands.some(({ emits }) => emits === undefined);
      if (isVague) this.#node('aggregate', name, name);
      for (const event of own) this.#eventNode(event);
      this.#endGroup();
      for (const { name: command, emits } of commands) {
        const from = this.#id('command', `${name}.${command}`);
        if (emits === undefined) this.#arrow(from, '-->', this.#id('aggregate', name));
        else for (const type of emits) this.#arrow(from, '-->', this.#eventId({ owner: name, type }));
      }
      if (isVague)
        for (const event of own)
          if (!event.retired) this.#arrow(this.#id('aggregate', name), '-->', this.#eventId(event));
    }
    const others = events.filter(({ owner }) => !names.has(owner));
    if (others.length > 0) {
      this.#beginGroup(this.#id('others', ''), 'other events');
      for (const event of others) this.#eventNode(event);
      this.#endGroup();
    }
    for (const { owner, readAs = [], ...event } of events)
      for (const type of readAs)
        this.#arrow(this.#eventId({ owner, type: event.type }), '-. "read as" .->', this.#eventId({ owner, type }));
  }

  #addDecisions(): void {
    const { decisions } = this.#model;
    for (const { name } of decisions) this.#node('decision', name, name);
    for (const { name, reads, events } of decisions) {
      const id = this.#id('decision', name);
      const read = new Set(reads.map(refKey));
      for (const ref of events) {
        if (read.has(refKey(ref))) this.#arrow(this.#eventId(ref), '<-.->', id);
        else this.#arrow(id, '-->', this.#eventId(ref));
      }
    }
  }

  #addViews(): void {
    for (const { name, kind, handles } of this.#model.views) {
      const shape = kind === 'reactor' ? 'reactor' : 'view';
      this.#node(shape, name, name);
      for (const source of this.#sourcesOf(handles)) this.#arrow(source, '-->', this.#id(shape, name));
    }
  }

  #addSagas(): void {
    const { sagas } = this.#model;
    for (const { name } of sagas) this.#node('saga', name, name);
    for (const activity of new Set(sagas.flatMap(({ activities }) => activities)))
      this.#node('activity', activity, activity);
    for (const { name, startsOn, handles, activities, commands = [], children } of sagas) {
      const id = this.#id('saga', name);
      const starting = new Set(startsOn.map(refKey));
      for (const ref of startsOn) this.#arrow(this.#eventId(ref), '-- starts -->', id);
      for (const source of this.#sourcesOf(handles.filter((ref) => !starting.has(refKey(ref)))))
        this.#arrow(source, '-->', id);
      for (const activity of activities) this.#arrow(id, '-->', this.#id('activity', activity));
      for (const command of commands)
        this.#arrow(id, '-->', this.#known('command', command) ?? this.#known('decision', command));
      for (const child of children) this.#arrow(id, '-- starts -->', this.#known('saga', child));
    }
  }

  /** Events, or the whole aggregate where they are all that it has. */
  #sourcesOf(refs: readonly EventRef[]): readonly (string | undefined)[] {
    const handled = new Set(refs.map(refKey));
    const whole = new Set(
      this.#model.aggregates.flatMap(({ name }) => {
        const own = this.#model.events.filter(({ owner, retired }) => owner === name && !retired);
        return own.length > 1 && own.every((event) => handled.has(refKey(event))) ? [name] : [];
      }),
    );
    return refs.map((ref) => (whole.has(ref.owner) ? this.#id('group', ref.owner) : this.#eventId(ref)));
  }

  #beginGroup(id: string, text: string): void {
    this.#lines.push(`  subgraph ${id}[${label(text)}]`);
    this.#isInGroup = true;
  }

  #endGroup(): void {
    this.#lines.push('  end');
    this.#isInGroup = false;
  }

  #eventNode(event: ModelEvent): void {
    const isOther = event.owner !== '' && !this.#model.aggregates.some(({ name }) => name === event.owner);
    const text = isOther ? nameOf(event) : event.type;
    this.#node('event', refKey(event), text, event.retired ? 'retired' : 'event');
  }

  #node(kind: Kind, name: string, text: string, style: Kind | 'retired' = kind): void {
    const [before, behind] = shapes[kind];
    this.#used.add(style);
    this.#lines.push(
      `${this.#isInGroup ? '    ' : '  '}${this.#id(kind, name)}${before}${label(text)}${behind}:::${style}`,
    );
  }

  /** Nobody needs an arrow to what is not there, or the same arrow twice. */
  #arrow(from: string | undefined, arrow: string, to: string | undefined): void {
    if (from !== undefined && to !== undefined) this.#arrows.add(`  ${from} ${arrow} ${to}`);
  }

  #eventId(ref: EventRef): string | undefined {
    return this.#known('event', refKey(ref));
  }

  #known(kind: string, name: string): string | undefined {
    return this.#ids.get(`${kind} ${name}`);
  }

  #id(kind: string, name: string): string {
    const known = this.#known(kind, name);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const id = `${kind}${count}`;
    this.#ids.set(`${kind} ${name}`, id);
    return id;
  }
}
