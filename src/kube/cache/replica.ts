import type { KubeObject } from '../../common/objects.ts';
import { objectKey } from '../client/object-key.ts';
import { IndexedStore, type IndexFunction, type Store } from './store.ts';

/** What became of an object. */
export interface Change<T extends KubeObject> {
  type: 'added' | 'updated' | 'deleted';
  /** The object now; for `deleted` its last known state. */
  object: T;
  /** The object before; absent for `added`. */
  previous?: T;
  /** It was there when the first list was read: nothing may have happened to it. */
  initial: boolean;
}

export type ChangeHandler<T extends KubeObject> = (change: Change<T>) => void;

/** A copy of the server's objects that turns what lists and watches say into changes. */
export class Replica<T extends KubeObject> {
  readonly #store: IndexedStore<T>;
  readonly #handlers: ChangeHandler<T>[] = [];
  readonly #onHandlerError: (error: unknown) => void;
  #filled = false;

  constructor(
    indexes: Readonly<Record<string, IndexFunction<T>>> | undefined,
    onHandlerError: (error: unknown) => void,
  ) {
    this.#store = new IndexedStore(indexes);
    this.#onHandlerError = onHandlerError;
  }

  get store(): Store<T> {
    return this.#store;
  }

  onChange(handler: ChangeHandler<T>): void {
    this.#handlers.push(handler);
  }

  /** Takes a complete list: what it lacks was deleted, what has another uid was deleted and created. */
  replace(objects: readonly T[]): void {
    const initial = !this.#filled;
    this.#filled = true;
    const listed = new Set(objects.map(({ metadata }) => objectKey(metadata)));
    for (const object of this.#store.list()) if (!listed.has(objectKey(object.metadata))) this.delete(object);
    for (const object of objects) this.set(object, initial);
  }

  /** Takes an object as it is now. */
  set(object: T, initial = false): void {
    const known = this.#store.get(object.metadata);
    if (known && known.metadata.uid !== object.metadata.uid) this.delete(known);
    else if (known?.metadata.resourceVersion === object.metadata.resourceVersion) return;
    const previous = this.#store.set(object);
    this.#tell(
      previous ? { type: 'updated', object, previous, initial: false } : { type: 'added', object, initial },
    );
  }

  /** Takes an object's end; one that is not known has been told of already. */
  delete(object: T): void {
    const previous = this.#store.remove(object.metadata);
    if (previous) this.#tell({ type: 'deleted', object, previous, initial: false });
  }

  #tell(change: Change<T>): void {
    for (const handler of this.#handlers) {
      try {
        handler(change);
      } catch (error) {
        this.#onHandlerError(error);
      }
    }
  }
}
