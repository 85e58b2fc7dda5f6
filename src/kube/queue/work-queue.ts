import type { Clock } from '../../common/clock.ts';
import { DelayedKeys } from './delayed-keys.ts';
import type { WorkQueueMetrics } from '../metrics.ts';
import { WaitingKeys, type Priority } from './waiting-keys.ts';

export interface WorkQueueOptions {
  clock: Clock;
  metrics?: WorkQueueMetrics;
  /** Default: all keys stand in one line, as many of which are worked on as are taken. */
  fairness?: Fairness;
}

/** Lines of keys that take turns, each of which may only have so many workers: one where all work hangs does not stop the others. */
export interface Fairness {
  /** The line that a key belongs to. Asked whenever the key begins to wait. */
  lineOf: (key: string) => string;
  /** How many keys of one line are worked on at a time at most. */
  maxOfOneLine: number;
}

/** Milliseconds after a key's first failure, which double with each, and the longest; as client-go's. */
const FIRST_BACKOFF = 5;
const MAX_BACKOFF = 1_000_000;

/**
 * Keys to be worked on, with client-go's promises (util/workqueue): a key waits at most once; it is never worked on by two
 * at a time; added while being worked on, it comes again afterwards.
 */
export class WorkQueue {
  readonly #metrics: WorkQueueMetrics | undefined;
  readonly #fairness: Fairness;
  readonly #waiting = new WaitingKeys();
  readonly #delayed: DelayedKeys;
  /** Keys being worked on, and the line each came from. */
  readonly #processing = new Map<string, string>();
  /** How many keys of a line are being worked on. */
  readonly #busy = new Map<string, number>();
  /** Keys added while being worked on. */
  readonly #again = new Map<string, Priority>();
  readonly #failures = new Map<string, number>();
  readonly #takers = new Set<(key: string | undefined) => void>();
  #shutDown = false;

  constructor({ clock, metrics, fairness }: WorkQueueOptions) {
    this.#metrics = metrics;
    this.#fairness = fairness ?? { lineOf: () => '', maxOfOneLine: Infinity };
    this.#delayed = new DelayedKeys(clock, (key) => this.add(key, { priority: 'low' }));
  }

  /** Keys that wait for a worker now. */
  get length(): number {
    return this.#waiting.size;
  }

  /**
   * Adds a key, unless the queue was shut down.
   * @param options high, the default, for what just changed; low for what comes back by itself
   */
  add(key: string, { priority = 'high' }: { priority?: Priority } = {}): void {
    if (this.#shutDown) return;
    if (this.#processing.has(key)) {
      if (this.#again.get(key) !== 'high') this.#again.set(key, priority);
      return;
    }
    this.#enqueue(key, priority);
  }

  /**
   * Adds a key after `milliseconds` of any length; of several such times the earliest counts. It then has low priority: thousands
   * of keys that come back after an outage do not hold up what somebody just changed.
   */
  addAfter(key: string, milliseconds: number): void {
    if (this.#shutDown) return;
    if (milliseconds > 0) this.#delayed.add(key, milliseconds);
    else this.add(key, { priority: 'low' });
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
    const wait = Math.min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** failures);
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
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const abort = (): void => {
      if (this.#takers.delete(resolve)) resolve(undefined);
    };
    this.#takers.add(resolve);
    signal.addEventListener('abort', abort, { once: true });
    this.#giveOut();
    const key = await promise;
    signal.removeEventListener('abort', abort);
    return key;
  }

  /** Ends the work on a key; if it was added meanwhile, it waits again. */
  done(key: string): void {
    const line = this.#processing.get(key);
    if (line === undefined) return;
    this.#processing.delete(key);
    this.#free(line);
    this.#metrics?.finished(key);
    const priority = this.#again.get(key);
    this.#again.delete(key);
    if (priority) this.#enqueue(key, priority);
    else this.#giveOut();
  }

  /** Takes no more keys in; those that wait are still given out. */
  shutDown(): void {
    this.#shutDown = true;
    this.#delayed.clear();
    this.#giveOut();
  }

  #enqueue(key: string, priority: Priority): void {
    if (this.#waiting.add(key, this.#fairness.lineOf(key), priority)) this.#metrics?.added(key);
    this.#giveOut();
  }

  /** Gives keys to those who wait for one, and sends them away when none is to come any more. */
  #giveOut(): void {
    for (const taker of this.#takers) {
      const key = this.#start();
      if (key === undefined && !(this.#shutDown && this.#waiting.size === 0)) return;
      this.#takers.delete(taker);
      taker(key);
    }
  }

  #start(): string | undefined {
    const { maxOfOneLine } = this.#fairness;
    const taken = this.#waiting.take((line) => (this.#busy.get(line) ?? 0) < maxOfOneLine);
    if (!taken) return undefined;
    const { key, line } = taken;
    this.#processing.set(key, line);
    this.#busy.set(line, (this.#busy.get(line) ?? 0) + 1);
    this.#metrics?.started(key);
    return key;
  }

  #free(line: string): void {
    const others = (this.#busy.get(line) ?? 0) - 1;
    if (others > 0) this.#busy.set(line, others);
    else this.#busy.delete(line);
  }
}
