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

/** The objects of one value: most values are of one object alone, which takes a fifth of the memory of a set. */
type Found<T> = T | Set<T>;

/**
 * A store with indexes, kept by the reflector. Beside the objects it holds only where they are found: what values an object has is
 * asked of the index functions again when it goes.
 */
export class IndexedStore<T extends KubeObject> implements Store<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes: ReadonlyMap<string, Index<T>>;

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#indexes = new Map(
      Object.entries(indexes).map(([name, valuesOf]) => [name, { valuesOf, found: new Map() }]),
    );
  }

  get(name: ObjectName): T | undefined {
    return this.#objects.get(objectKey(name));
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  byIndex(index: string, value: string): T[] {
    const found = this.#indexes.get(index)?.found;
    if (!found) throw new TypeError(`There is no index ${JSON.stringify(index)}`);
    const objects = found.get(value);
    if (objects === undefined) return [];
    return objects instanceof Set ? [...objects] : [objects];
  }

  /** Puts an object in and gives the one it replaces. @throws what an index function throws: then nothing has changed */
  set(object: T): T | undefined {
    const values = [...this.#indexes.values()].map((index) => [index, index.valuesOf(object)] as const);
    const previous = this.remove(object.metadata);
    this.#objects.set(objectKey(object.metadata), object);
    for (const [{ found }, itsValues] of values) for (const value of itsValues) add(found, value, object);
    return previous;
  }

  /** Takes the object of that name out and gives it. */
  remove(name: ObjectName): T | undefined {
    const key = objectKey(name);
    const previous = this.#objects.get(key);
    if (!previous) return undefined;
    for (const { valuesOf, found } of this.#indexes.values())
      for (const value of valuesOf(previous)) take(found, value, previous);
    this.#objects.delete(key);
    return previous;
  }
}

interface Index<T> {
  valuesOf: IndexFunction<T>;
  found: Map<string, Found<T>>;
}

function add<T extends KubeObject>(found: Map<string, Found<T>>, value: string, object: T): void {
  const others = found.get(value);
  if (others === undefined) found.set(value, object);
  else if (others instanceof Set) others.add(object);
  else if (others !== object) found.set(value, new Set([others, object]));
}

function take<T extends KubeObject>(found: Map<string, Found<T>>, value: string, object: T): void {
  const objects = found.get(value);
  if (objects === object) found.delete(value);
  else if (objects instanceof Set && objects.delete(object) && objects.size === 0) found.delete(value);
}
