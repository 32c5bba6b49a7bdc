/** Names of parts of a document, which hold nothing that would have to be escaped in a reference. */
import { nameOf } from './declared.ts';
import type { EventRef } from './event-model.ts';

/**
 * Letters and digits of ASCII, dots, dashes and underscores are kept; what else there is, is written as its code point, `-2f-`. So the
 * name of one thing never depends on what others are called.
 */
export function documentName(text: string): string {
  if (text === '') return '-';
  // Two underscores at the beginning could be `__proto__`, upon which readers of documents may trip.
  return text.replaceAll(/[^\w.-]|^_(?=_)/gu, (found) => `-${(found.codePointAt(0) as number).toString(16)}-`);
}

/** `order.OrderPlaced.v2` */
export function versionName(event: EventRef, version: number): string {
  return `${documentName(nameOf(event))}.v${version}`;
}

/** Each name once: a second one of the same name gets a number. */
export class UniqueNames {
  readonly #taken: Set<string>;

  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set(taken);
  }

  take(wanted: string): string {
    let name = wanted;
    for (let number = 2; this.#taken.has(name); number++) name = `${wanted}-${number}`;
    this.#taken.add(name);
    return name;
  }
}
