import type { Clock } from '../../src/common/clock.ts';
import { ConnectionLost, type ApiRequest } from './request.ts';
import type { Faults } from './faults.ts';
import type { Store } from './store.ts';
import { Watch, type WatchParameters } from './watch.ts';

/** All open watches. */
export class WatchRoom {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #open = new Map<Watch, ApiRequest>();

  constructor(store: Store, clock: Clock, faults: Faults) {
    this.#store = store;
    this.#clock = clock;
    this.#faults = faults;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Starts a watch that ends when the request is aborted. @throws StatusError 400 for a bad parameter */
  open(request: ApiRequest, parameters: Omit<WatchParameters, 'silent'>): AsyncIterable<string> {
    const silent = (): boolean => this.#faults.stalls(request);
    const watch = new Watch(this.#store, this.#clock, { ...parameters, silent });
    this.#open.set(watch, request);
    request.signal.addEventListener('abort', () => watch.end(), { once: true });
    return this.#until(watch);
  }

  /** Ends watches in good order, as a server does that restarts. @param path which ones; all when left out */
  end(path?: RegExp): void {
    for (const watch of this.#matching(path)) watch.end();
  }

  /** Breaks the connections of watches. @param path which ones; all when left out */
  reset(path?: RegExp): void {
    for (const watch of this.#matching(path)) watch.fail(new ConnectionLost());
  }

  /** Ends the watches of a collection that is no longer served. */
  endCollection(collection: string): void {
    for (const watch of this.#open.keys()) if (watch.collection === collection) watch.end();
  }

  #matching(path?: RegExp): Watch[] {
    return [...this.#open].filter(([, request]) => path?.test(request.path) ?? true).map(([watch]) => watch);
  }

  async *#until(watch: Watch): AsyncGenerator<string, void, undefined> {
    try {
      yield* watch.lines;
    } finally {
      watch.end();
      this.#open.delete(watch);
    }
  }
}
