/** Where events go when some of them are left out, added or moved to other streams. */
import type { Recorded } from '../event/event.ts';
import { RecordedDraft } from '../event/recorded-draft.ts';
import type { EventLog } from '../store/log.ts';
import type { Position } from '../store/port.ts';
import type { Moved } from './migration.ts';

/** Gives places in the order of positions. It remembers only streams and positions where the numbering is another one. */
export class Renumbering {
  readonly #source: EventLog;
  /** The last versions given in streams that are not numbered as in the source. */
  readonly #versions = new Map<string, number>();
  /** Old positions from which on another number of events has been added or left out. */
  readonly #shifts: { readonly from: Position; readonly by: number }[] = [];
  #position: Position = 0;

  constructor(source: EventLog) {
    this.#source = source;
  }

  /** The last position that was given. */
  get position(): Position {
    return this.#position;
  }

  async place(old: Recorded, moved: readonly Moved[]): Promise<readonly RecordedDraft[]> {
    const { recordedAt } = old;
    const placed: RecordedDraft[] = [];
    const staysAsItIs = moved.length === 1 && moved[0]?.stream === old.stream;
    if (!staysAsItIs && !this.#versions.has(old.stream)) this.#versions.set(old.stream, old.version - 1);
    for (const { stream, draft } of moved) {
      const version = await this.#next(stream, old);
      placed.push(new RecordedDraft(draft, { stream, version, position: ++this.#position, recordedAt }));
    }
    const by = this.#position - old.position;
    if (by !== (this.#shifts.at(-1)?.by ?? 0)) this.#shifts.push({ from: old.position, by });
    return placed;
  }

  async #next(stream: string, old: Recorded): Promise<number> {
    const last = this.#versions.get(stream);
    if (last === undefined && stream === old.stream) return old.version;
    const version = (last ?? (await this.#versionBefore(stream, old.position))) + 1;
    this.#versions.set(stream, version);
    return version;
  }

  /** Of a stream that is numbered as in the source so far. */
  async #versionBefore(stream: string, position: Position): Promise<number> {
    const last = { stream, until: position - 1, backwards: true, limit: 1 };
    for await (const [event] of this.#source.recorded(last)) return event?.version ?? 0;
    return 0;
  }

  /** The last position of what became of the events up to an old position. */
  newPosition(old: Position): Position {
    let [low, high] = [0, this.#shifts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#shifts[middle] as { from: Position }).from <= old) low = middle + 1;
      else high = middle;
    }
    return old + (this.#shifts[low - 1]?.by ?? 0);
  }
}
