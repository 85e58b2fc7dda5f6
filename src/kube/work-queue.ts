import type { Clock } from '../common/clock.ts';
import { DelayedKeys } from './delayed-keys.ts';
import type { WorkQueueMetrics } from './metrics.ts';
import { WaitingKeys, type Priority } from './waiting-keys.ts';

export interface WorkQueueOptions {
  clock: Clock;
  metrics?: WorkQueueMetrics;
  /** Milliseconds after a key's first failure; doubles with each. Default 5. */
  initialBackoff?: number;
  /** The longest wait after a failure in milliseconds. Default 1000 s. */
  longestBackoff?: number;
}

/**
 * Keys to be worked on, with client-go's promises (util/workqueue): a key waits at most once; it is never worked on by two
 * at a time; added while being worked on, it comes again afterwards.
 */
export class WorkQueue {
  readonly #metrics: WorkQueueMetrics | undefined;
  readonly #initialBackoff: number;
  readonly #longestBackoff: number;
  readonly #waiting = new WaitingKeys();
  readonly #delayed: DelayedKeys;
  readonly #processing = new Set<string>();
  /** Keys added while being worked on. */
  readonly #again = new Map<string, Priority>();
  readonly #failures = new Map<string, number>();
  readonly #takers = new Set<(key: string | undefined) => void>();
  #shutDown = false;

  constructor({ clock, metrics, initialBackoff = 5, longestBackoff = 1_000_000 }: WorkQueueOptions) {
    this.#metrics = metrics;
    this.#initialBackoff = initialBackoff;
    this.#longestBackoff = longestBackoff;
    this.#delayed = new DelayedKeys(clock, (key) => this.add(key));
  }

  /** Keys that wait for a worker now. */
  get length(): number {
    return this.#waiting.size;
  }

  /**
   * Adds a key, unless the queue was shut down.
   * @param options high, the default, for what just changed; low for what is looked at to be sure
   */
  add(key: string, { priority = 'high' }: { priority?: Priority } = {}): void {
    if (this.#shutDown) return;
    if (this.#processing.has(key)) {
      if (this.#again.get(key) !== 'high') this.#again.set(key, priority);
      return;
    }
    this.#enqueue(key, priority);
  }

  /** Adds a key after `milliseconds` of any length; of several such times the earliest counts. */
  addAfter(key: string, milliseconds: number): void {
    if (this.#shutDown) return;
    if (milliseconds > 0) this.#delayed.add(key, milliseconds);
    else this.add(key);
  }

  /**
   * Adds a key after a wait that doubles with each failure since it was last forgotten.
   * @param atLeast milliseconds to wait in any case
   */
  addRateLimited(key: string, atLeast = 0): void {
    if (this.#shutDown) return;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#metrics?.retried();
    const wait = Math.min(this.#longestBackoff, this.#initialBackoff * 2 ** failures);
    this.addAfter(key, Math.max(wait, atLeast));
  }

  /** Failures of a key since it was last forgotten. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Lets the next wait of a key be the first again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /**
   * The next key, waiting for one if need be. Whoever takes a key must call `done`.
   * @returns undefined when the signal aborts, or when the queue was shut down and is empty
   */
  async take(signal: AbortSignal): Promise<string | undefined> {
    if (signal.aborted) return undefined;
    if (this.#waiting.size > 0) return this.#start();
    if (this.#shutDown) return undefined;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const abort = (): void => {
      if (this.#takers.delete(resolve)) resolve(undefined);
    };
    this.#takers.add(resolve);
    signal.addEventListener('abort', abort, { once: true });
    const key = await promise;
    signal.removeEventListener('abort', abort);
    return key;
  }

  /** Ends the work on a key; if it was added meanwhile, it waits again. */
  done(key: string): void {
    if (!this.#processing.delete(key)) return;
    this.#metrics?.finished(key);
    const priority = this.#again.get(key);
    this.#again.delete(key);
    if (priority) this.#enqueue(key, priority);
  }

  /** Takes no more keys in; those that wait are still given out. */
  shutDown(): void {
    this.#shutDown = true;
    this.#delayed.clear();
    for (const resolve of this.#takers) resolve(undefined);
    this.#takers.clear();
  }

  #enqueue(key: string, priority: Priority): void {
    if (this.#waiting.add(key, priority)) this.#metrics?.added(key);
    const [taker] = this.#takers;
    if (!taker) return;
    this.#takers.delete(taker);
    taker(this.#start());
  }

  #start(): string | undefined {
    const key = this.#waiting.take();
    if (key === undefined) return undefined;
    this.#processing.add(key);
    this.#metrics?.started(key);
    return key;
  }
}
