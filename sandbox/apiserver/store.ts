import type { Clock } from '../../src/common/clock.ts';
import { keyOf, type Change, type ChangeType } from './change.ts';
import { asObject, type JsonObject } from './json.ts';
import { StoredCollection } from './stored-collection.ts';

/** All objects under one growing revision, with a bounded history for watches and paged lists. */
export class Store {
  #revision = 1;
  readonly #clock: Clock;
  readonly #collections = new Map<string, StoredCollection>();
  readonly #listeners = new Set<(change: Change) => void>();
  #floor = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get revision(): number {
    return this.#revision;
  }

  get(collection: string, key: string): JsonObject | undefined {
    return this.#collections.get(collection)?.get(key);
  }

  /** Every object of the collection, in the order of keys. Not to be changed. */
  list(collection: string): readonly JsonObject[] {
    return this.#collections.get(collection)?.list() ?? [];
  }

  /** As `list`, as it was at an earlier revision; undefined when the history does not reach back that far. */
  listAt(collection: string, revision: number): readonly JsonObject[] | undefined {
    if (revision < this.oldest(collection)) return undefined;
    return this.#collections.get(collection)?.listAt(revision) ?? [];
  }

  /** The oldest revision from which the collection's changes are all known. */
  oldest(collection: string): number {
    return Math.max(this.#floor, this.#collections.get(collection)?.floor ?? 0);
  }

  /** The revision of the collection's latest change; 0 when it never had one. */
  latest(collection: string): number {
    return this.#collections.get(collection)?.latest ?? 0;
  }

  /** Changes later than the revision; undefined when some of them are no longer known. */
  changesAfter(collection: string, revision: number): readonly Change[] | undefined {
    if (revision < this.oldest(collection)) return undefined;
    return this.#collections.get(collection)?.changesAfter(revision) ?? [];
  }

  collections(): string[] {
    return [...this.#collections.keys()];
  }

  /** Writes the object under the next revision and returns it as stored. */
  put(collection: string, object: JsonObject): JsonObject {
    const previous = this.get(collection, keyOf(object));
    return this.#commit(collection, previous ? 'MODIFIED' : 'ADDED', object, previous);
  }

  /** Removes the object; returns its last state under the revision of the deletion. */
  remove(collection: string, object: JsonObject): JsonObject {
    return this.#commit(collection, 'DELETED', object, this.get(collection, keyOf(object)));
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets all history, as etcd's compaction does: watches and lists from earlier revisions answer 410. */
  compact(): void {
    this.#floor = this.#revision;
    for (const collection of this.#collections.values()) collection.forget();
  }

  #commit(
    collection: string,
    type: ChangeType,
    object: JsonObject,
    previous: JsonObject | undefined,
  ): JsonObject {
    const revision = ++this.#revision;
    const metadata = { ...asObject(object.metadata), resourceVersion: String(revision) };
    const stored = { ...object, metadata };
    const change = { revision, type, collection, object: stored, previous, at: this.#clock.monotonic() };
    let home = this.#collections.get(collection);
    if (!home) this.#collections.set(collection, (home = new StoredCollection()));
    home.record(keyOf(stored), change);
    for (const listener of this.#listeners) listener(change);
    return stored;
  }
}
