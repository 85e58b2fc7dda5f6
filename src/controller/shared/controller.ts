import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import type { WorkQueue } from '../../kube/queue/work-queue.ts';

/** Keeps one kind of thing as it is to be. A new one is a line in the list of `assembleControllers`. */
export interface Controller {
  /** In logs and metrics. */
  name: string;
  /** Keys of what is to be looked at. */
  queue: WorkQueue;
  /** Keys worked on at the same time. */
  workers: number;
  /** @throws what ends in another try with backoff */
  reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>;
  /** When its work last got on, in monotonic milliseconds, where one reconcile can take long without hanging. */
  progressedAt?: () => number;
  /** What it waits for before it looks at anything. */
  ready?: (signal: AbortSignal) => Promise<unknown>;
}
