import type { KubeObject, ObjectName } from '../../common/objects.ts';
import { objectKey } from '../client/object-key.ts';

/** The objects a reflector knows. They are shared: treat them as frozen. */
export interface Store<T extends KubeObject> {
  get(name: ObjectName): T | undefined;
  list(): T[];
  /**
   * The objects to which an index gave this value.
   * @throws TypeError when there is no such index
   */
  byIndex(index: string, value: string): T[];
}

/** Gives the values under which an object is to be found. */
export type IndexFunction<T> = (object: T) => string[];

/** A store with indexes, kept by the reflector. */
export class IndexedStore<T extends KubeObject> implements Store<T> {
  readonly #objects = new Map<string, T>();
  /** Where each object stands in the indexes, by its key. */
  readonly #entries = new Map<string, readonly (readonly [index: string, values: string[]])[]>();
  readonly #functions: Readonly<Record<string, IndexFunction<T>>>;
  readonly #indexes = new Map<string, Map<string, Set<string>>>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#functions = indexes;
    for (const index of Object.keys(indexes)) this.#indexes.set(index, new Map());
  }

  get(name: ObjectName): T | undefined {
    return this.#objects.get(objectKey(name));
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  byIndex(index: string, value: string): T[] {
    const values = this.#indexes.get(index);
    if (!values) throw new TypeError(`There is no index ${JSON.stringify(index)}`);
    const found: T[] = [];
    for (const key of values.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object) found.push(object);
    }
    return found;
  }

  /** Puts an object in and gives the one it replaces. @throws what an index function throws: then nothing has changed */
  set(object: T): T | undefined {
    const entries = Object.entries(this.#functions).map(
      ([index, valuesOf]) => [index, valuesOf(object)] as const,
    );
    const previous = this.remove(object.metadata);
    const key = objectKey(object.metadata);
    this.#objects.set(key, object);
    this.#entries.set(key, entries);
    for (const [index, values] of entries) {
      for (const value of values) {
        const keys = this.#indexes.get(index)?.get(value);
        if (keys) keys.add(key);
        else this.#indexes.get(index)?.set(value, new Set([key]));
      }
    }
    return previous;
  }

  /** Takes the object of that name out and gives it. */
  remove(name: ObjectName): T | undefined {
    const key = objectKey(name);
    const previous = this.#objects.get(key);
    if (!previous) return undefined;
    for (const [index, values] of this.#entries.get(key) ?? []) {
      for (const value of values) {
        const keys = this.#indexes.get(index)?.get(value);
        keys?.delete(key);
        if (keys?.size === 0) this.#indexes.get(index)?.delete(value);
      }
    }
    this.#objects.delete(key);
    this.#entries.delete(key);
    return previous;
  }
}
