import { keyOf, type Change } from './change.ts';
import type { JsonObject } from './json.ts';

/** How long and how much history is kept: etcd is compacted every five minutes, and memory has an end. */
const HISTORY_AGE = 5 * 60_000;
const HISTORY_LENGTH = 20_000;

/** The objects of one kind and their latest changes. */
export class StoredCollection {
  readonly #objects = new Map<string, JsonObject>();
  #sorted: readonly JsonObject[] | undefined;
  #changes: Change[] = [];
  /** Changes up to this revision may be missing. */
  floor = 0;

  /** The revision of the latest change. */
  get latest(): number {
    return this.#changes.at(-1)?.revision ?? this.floor;
  }

  get(key: string): JsonObject | undefined {
    return this.#objects.get(key);
  }

  list(): readonly JsonObject[] {
    this.#sorted ??= inKeyOrder(this.#objects);
    return this.#sorted;
  }

  listAt(revision: number): readonly JsonObject[] {
    if (this.changesAfter(revision).length === 0) return this.list();
    const objects = new Map(this.#objects);
    for (const change of this.changesAfter(revision).toReversed()) {
      if (change.previous) objects.set(keyOf(change.object), change.previous);
      else objects.delete(keyOf(change.object));
    }
    return inKeyOrder(objects);
  }

  changesAfter(revision: number): readonly Change[] {
    let low = 0;
    for (let high = this.#changes.length; low < high;) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle]?.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    return this.#changes.slice(low);
  }

  record(key: string, change: Change): void {
    if (change.type === 'DELETED') this.#objects.delete(key);
    else this.#objects.set(key, change.object);
    this.#sorted = undefined;
    this.#changes.push(change);
    this.#trim(change.at);
  }

  forget(): void {
    this.floor = this.#changes.at(-1)?.revision ?? this.floor;
    this.#changes = [];
  }

  /** Drops what is too old or too much, in blocks, so that a write costs the same however long the history. */
  #trim(now: number): void {
    const block = this.#changes[HISTORY_LENGTH / 10];
    if (!block || (now - block.at < HISTORY_AGE && this.#changes.length < HISTORY_LENGTH)) return;
    const dropped = this.#changes.splice(0, HISTORY_LENGTH / 10);
    this.floor = dropped.at(-1)?.revision ?? this.floor;
  }
}

function inKeyOrder(objects: Map<string, JsonObject>): JsonObject[] {
  const keys = [...objects.keys()].sort();
  return keys.map((key) => objects.get(key) ?? {});
}
