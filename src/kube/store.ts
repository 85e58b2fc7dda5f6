import type { KubeObject, ObjectName } from '../common/objects.ts';
import { objectKey } from './object-key.ts';

/** The objects a reflector knows. They are shared: treat them as frozen. */
export interface Store<T extends KubeObject> {
  readonly size: number;
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
  readonly #functions: Readonly<Record<string, IndexFunction<T>>>;
  readonly #indexes = new Map<string, Map<string, Set<string>>>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#functions = indexes;
    for (const index of Object.keys(indexes)) this.#indexes.set(index, new Map());
  }

  get size(): number {
    return this.#objects.size;
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

  /** Puts an object in and gives the one it replaces. */
  set(object: T): T | undefined {
    const previous = this.remove(object.metadata);
    const key = objectKey(object.metadata);
    this.#objects.set(key, object);
    for (const [index, values] of this.#indexes) {
      for (const value of this.#functions[index]?.(object) ?? []) {
        const keys = values.get(value);
        if (keys) keys.add(key);
        else values.set(value, new Set([key]));
      }
    }
    return previous;
  }

  /** Takes the object of that name out and gives it. */
  remove(name: ObjectName): T | undefined {
    const key = objectKey(name);
    const previous = this.#objects.get(key);
    if (!previous) return undefined;
    this.#objects.delete(key);
    for (const [index, values] of this.#indexes) {
      for (const value of this.#functions[index]?.(previous) ?? []) {
        const keys = values.get(value);
        keys?.delete(key);
        if (keys?.size === 0) values.delete(value);
      }
    }
    return previous;
  }
}
