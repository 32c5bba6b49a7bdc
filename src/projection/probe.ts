/**
 * Whether a definition still makes of events what it made of them before. The text of its functions is no evidence: it changes with
 * every minifier, and does not show what they import. So a few events of each type are folded again, and the results compared.
 */
import { toHex, toUtf8 } from '../event/bytes.ts';
import type { RecordedEvent } from '../event/codec.ts';
import { toCanonicalJson } from '../event/json.ts';
import { compareCodePoints } from '../event/names.ts';
import { schemaDigest } from '../event/schema-digest.ts';
import { sha256 } from '../ground/digest.ts';
import { EngineError } from '../ground/errors.ts';
import type { Position } from '../store/port.ts';
import type { DocumentPut, SqlStatement } from '../store/state-port.ts';
import { definitionName } from './build.ts';
import type { Consumer } from './consumer.ts';
import { consumersCollection } from './control.ts';
import type { Control } from './control.ts';
import type { EventFeed } from './feed.ts';
import { foldTasks } from './fold.ts';
import type { Task } from './fold.ts';
import type { ViewDocument } from './projection.ts';
import type { AnyConsumer } from './registry.ts';

/** Events of each type. */
const sampledPerType = 8;

interface Kept {
  readonly positions: readonly Position[];
  /** Of what they are folded into. */
  readonly digest: string;
  /** Of the schemas, by type. */
  readonly schemas: Readonly<Record<string, string>>;
}

/** What a sample has led to. */
interface Sample {
  readonly positions: ReadonlySet<Position>;
  readonly results: ReadonlyMap<string, string>;
  readonly documents: ReadonlyMap<string, ViewDocument | null>;
}

const nothing: Sample = { positions: new Set(), results: new Map(), documents: new Map() };

export class Probe {
  readonly #consumer: AnyConsumer;
  readonly #schemas: Readonly<Record<string, string>>;
  /** How many events of each type were tried. */
  readonly #tried = new Map<string, number>();
  #sample = nothing;
  /** Whether there is something to be kept besides. */
  #isChanged = false;

  private constructor(consumer: AnyConsumer) {
    this.#consumer = consumer;
    this.#schemas = schemaDigests(consumer);
  }

  /**
   * Compares with what was kept. Where the schemas have changed and the results have not, that is told.
   * @throws {EngineError} `definition_changed`
   */
  static async open(
    consumer: AnyConsumer,
    control: Control,
    feed: EventFeed,
    schemasChanged: (types: readonly string[]) => void,
  ): Promise<Probe> {
    const probe = new Probe(consumer);
    const kept = (await control.get(keyOf(consumer)))?.value as unknown as Kept | undefined;
    if (kept === undefined) return probe;
    const refuse = (changed: string) =>
      new EngineError('definition_changed', { consumer: consumer.name, version: consumer.version, changed });
    for (const position of kept.positions) {
      const [event, ...others] = await feed.at(position);
      if (event === undefined) throw refuse(`it leaves out the event at position ${position}, which it used to take`);
      const sample = others.reduce<Sample | undefined>(
        (before, part) => before && probe.#with(before, part),
        probe.#with(probe.#sample, event),
      );
      if (sample === undefined)
        throw refuse(`it fails at the ${event.type} at position ${position}, which it used to take`);
      probe.#sample = sample;
      probe.#count(event.type);
    }
    if (digestOf(probe.#sample) !== kept.digest) throw refuse('it makes something else of the same events');
    const types = Object.keys(probe.#schemas).filter((type) => probe.#schemas[type] !== kept.schemas[type]);
    if (types.length > 0) {
      probe.#isChanged = true;
      if (types.some((type) => type in kept.schemas)) schemasChanged(types);
    }
    return probe;
  }

  /** What is to be kept once these events have been dealt with, and whom to tell when it is; undefined where nothing is new. */
  put(events: readonly RecordedEvent[]): { readonly put: DocumentPut; readonly kept: () => void } | undefined {
    let sample = this.#sample;
    const added: string[] = [];
    for (const event of events) {
      const { type, position } = event;
      // What is dealt with again, by a rebuild or after a failure, is in it already.
      if ((this.#tried.get(type) ?? 0) >= sampledPerType || sample.positions.has(position)) continue;
      // Kept by position, of which such events have one together.
      if ((event.recordedAs?.of ?? 1) > 1) continue;
      if (added.filter((one) => one === type).length >= sampledPerType) continue;
      const next = this.#with(sample, event);
      if (next === undefined) this.#count(type);
      else {
        sample = next;
        added.push(type);
      }
    }
    if (sample === this.#sample && !this.#isChanged) return undefined;
    const value = { positions: [...sample.positions], digest: digestOf(sample), schemas: this.#schemas };
    return {
      put: { collection: consumersCollection, key: keyOf(this.#consumer), value },
      kept: () => {
        this.#sample = sample;
        this.#isChanged = false;
        for (const type of added) this.#count(type);
      },
    };
  }

  /** Folds an event upon what the others of the sample led to; undefined where that can't be done without those that are not in it. */
  #with(sample: Sample, event: RecordedEvent): Sample | undefined {
    try {
      const { results, documents } = this.#fold(sample, event);
      return {
        positions: new Set([...sample.positions, event.position]),
        results: new Map([...sample.results, ...results]),
        documents: new Map([...sample.documents, ...documents]),
      };
    } catch {
      return undefined;
    }
  }

  #count(type: string): void {
    this.#tried.set(type, (this.#tried.get(type) ?? 0) + 1);
  }

  #fold({ documents }: Sample, event: RecordedEvent): Pick<Sample, 'results' | 'documents'> {
    const consumer = this.#consumer;
    if (consumer.kind === 'reactor' || consumer.kind === 'saga') return nothing;
    if (consumer.kind === 'tables') {
      const text = JSON.stringify(consumer.statements(event).map(plain));
      return { results: new Map([[String(event.position), text]]), documents: new Map() };
    }
    const task: Task = { event, keys: consumer.keysOf(event) };
    const after = foldTasks(consumer, [task], documents, false);
    const texts = [...after].map(
      ([key, document]) => [key, document === null ? 'null' : toCanonicalJson(document, 'document')] as const,
    );
    return { results: new Map(texts), documents: after };
  }
}

function digestOf({ results }: Sample): string {
  // The order in which `key` names them is of no account.
  const sorted = [...results].sort(([a], [b]) => compareCodePoints(a, b));
  return toHex(sha256(toUtf8(JSON.stringify(sorted))));
}

function keyOf(consumer: Consumer): string {
  return `${definitionName(consumer)}?probe`;
}

function plain({ sql, params }: SqlStatement): readonly string[] {
  return [sql, ...params.map((param) => `${typeof param} ${String(param)}`)];
}

/** Of the schemas of what is handled. */
function schemaDigests({ interest }: Consumer): Readonly<Record<string, string>> {
  const digests = interest.types.map((type) => {
    const schemas = interest.from.flatMap(({ events }) => {
      const schema = events[type];
      return schema === undefined ? [] : [schema];
    });
    return [type, schemaDigest(schemas)] as const;
  });
  return Object.fromEntries(digests);
}
