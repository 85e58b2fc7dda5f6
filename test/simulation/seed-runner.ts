import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Outcome } from './figures.ts';

/**
 * Runs the simulations of so many seeds from `first` on, on all processors.
 * @param bail begin no more after one that failed
 * @returns the outcomes by seed
 */
export async function runSeeds(first: number, count: number, bail = false): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = first;
  const end = first + count;
  let ended = false;
  const drain = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const feed = (): void => {
        // eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        if (next < end && !ended) worker.postMessage(next++);
        else resolve();
      };
      worker.on('error', reject);
      worker.on('message', (outcome: Outcome) => {
        outcomes.push(outcome);
        ended ||= bail && outcome.violations.length > 0;
        feed();
      });
      feed();
    });
  const threads = Math.min(availableParallelism(), count);
  const workers = Array.from({ length: threads }, () => new Worker(new URL('worker.ts', import.meta.url)));
  try {
    await Promise.all(workers.map(drain));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return outcomes.sort((a, b) => a.seed - b.seed);
}
