import type { Clock } from '../../common/clock.ts';
import { endsWithin } from '../../common/deadline.ts';
import type { Logger } from '../../common/logger.ts';
import { KubeError } from '../client/errors.ts';
import { LeadershipLost } from '../election/leadership-lost.ts';
import type { WorkerPoolMetrics } from '../metrics.ts';
import type { WorkQueue } from './work-queue.ts';

/** When to look at the key again, in milliseconds (0: at once); nothing: when something changes. */
export type ReconcileResult = { requeueAfter?: number } | void;

/** A failure that only a change to the object can mend: it is reported, and the key is not tried again by itself. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

export interface WorkerPoolOptions {
  /** The controller's name in logs and metrics. */
  name: string;
  queue: WorkQueue;
  /** Keys worked on at the same time. */
  workers: number;
  reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>;
  /** When the work last got on, in monotonic milliseconds, where one reconcile can be so much of it that its age says nothing. */
  progressedAt?: (() => number) | undefined;
  /** How long reconciles under way may go on after the stop, in milliseconds; then they are aborted. */
  drainTime: number;
  clock: Clock;
  logger: Logger;
  metrics?: WorkerPoolMetrics;
}

/** How long an aborted reconcile may take to end; then it is left behind. */
const ABORT_TIME = 2_000;

/**
 * Works on a queue's keys with a fixed number of workers. What follows a reconcile is controller-runtime's contract
 * (internal/controller, reconcileHandler): a failure is tried again with growing waits, a success forgets failures.
 */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  /** When each reconcile under way began, by its key. Monotonic milliseconds. */
  readonly #begun = new Map<string, number>();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    options.metrics?.addController(options.name, options.workers);
  }

  /** Age of the oldest reconcile under way, or since it last got on, in milliseconds; 0 when there is none. */
  get longestRunning(): number {
    const { clock, progressedAt } = this.#options;
    const [oldest] = this.#begun.values();
    return oldest === undefined ? 0 : clock.monotonic() - Math.max(oldest, progressedAt?.() ?? oldest);
  }

  /**
   * Works until the signal aborts, then lets reconciles under way finish for a bounded time, and shuts the queue down. When
   * the signal aborts because leadership was lost they are aborted at once.
   */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#run(signal);
    } finally {
      this.#options.queue.shutDown();
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { workers, drainTime, clock, name, logger } = this.#options;
    const reconciling = new AbortController();
    const all = Promise.all(Array.from({ length: workers }, () => this.#work(signal, reconciling.signal)));
    await Promise.race([all, aborted(signal)]);
    const mayFinish = !(signal.reason instanceof LeadershipLost);
    if (mayFinish && (await endsWithin(clock, drainTime, all))) return;
    reconciling.abort(signal.reason);
    if (!(await endsWithin(clock, ABORT_TIME, all)))
      logger.error({ controller: name }, 'Reconciles did not end when aborted; leaving them behind');
  }

  async #work(signal: AbortSignal, reconciling: AbortSignal): Promise<void> {
    const { queue, clock } = this.#options;
    for (;;) {
      const key = await queue.take(signal);
      if (key === undefined) return;
      this.#begun.set(key, clock.monotonic());
      try {
        await this.#reconcile(key, reconciling);
      } finally {
        this.#begun.delete(key);
        queue.done(key);
      }
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const { name, queue, metrics } = this.#options;
    const end = metrics?.start(name);
    try {
      const after = (await this.#options.reconcile(key, signal))?.requeueAfter;
      queue.forget(key);
      if (after !== undefined) queue.addAfter(key, after);
      end?.(after === undefined ? 'success' : 'requeue_after');
    } catch (error) {
      end?.('error');
      if (!signal.aborted) this.#failed(key, error);
    }
  }

  #failed(key: string, error: unknown): void {
    const { name, queue, logger, metrics } = this.#options;
    const fields = { controller: name, key, err: error };
    if (error instanceof TerminalError) {
      metrics?.terminalError(name);
      queue.forget(key);
      logger.error(fields, 'Reconcile failed for good');
      return;
    }
    // Whoever gave up the lease tells of it, once.
    if (error instanceof LeadershipLost) return;
    if (isMistake(error)) metrics?.panic(name);
    queue.addRateLimited(key, error instanceof KubeError ? error.retryAfter : 0);
    if (error instanceof KubeError && error.isConflict) {
      logger.debug({ controller: name, key }, 'The object changed meanwhile; looking again');
      return;
    }
    logger.error({ ...fields, failures: queue.failures(key) }, 'Reconcile failed; trying again');
  }
}

/** Errors that JavaScript itself throws: a mistake in the program, not in the world. */
const isMistake = (error: unknown): boolean =>
  !(error instanceof Error) || [TypeError, RangeError, ReferenceError].some((kind) => error instanceof kind);

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
