/** The names under which a consumer's state is kept. Processes of other versions of this package may look for the same. */
import type { Consumer } from './consumer.ts';

/**
 * What a consumer has made of the events so far: of one version of its definition, in one generation. A rebuild is a further generation,
 * made beside the one that serves.
 */
export class Build {
  readonly consumer: Consumer;
  readonly generation: number;
  /** `balances@1.1` */
  readonly name: string;
  /** Of its documents. */
  readonly collection: string;

  constructor(consumer: Consumer, generation: number) {
    this.consumer = consumer;
    this.generation = generation;
    this.name = buildName(consumer, generation);
    this.collection = collectionOf(this.name);
  }

  /** Of a slot's checkpoint, its lease, and its document among the consumers. */
  slot(slot: number): string {
    return `${this.name}#${slot}`;
  }

  get slots(): readonly string[] {
    return Array.from({ length: this.consumer.slots }, (_, slot) => this.slot(slot));
  }
}

/** `balances@1`: a version of a definition. */
export function definitionName({ name, version }: Pick<Consumer, 'name' | 'version'>): string {
  return `${name}@${version}`;
}

export function buildName(consumer: Pick<Consumer, 'name' | 'version'>, generation: number): string {
  return `${definitionName(consumer)}.${generation}`;
}

export function collectionOf(build: string): string {
  return `view/${build}`;
}
