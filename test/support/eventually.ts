import { setTimeout } from 'node:timers/promises';

const POLL = 200;
const PATIENCE = 120_000;

/**
 * Waits until something is so; what it throws meanwhile counts as not yet.
 * @throws Error naming what never came, with the last error as its cause
 */
export async function eventually(what: string, test: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE;
  let cause: unknown;
  while (performance.now() < end) {
    try {
      if (await test()) return;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await setTimeout(POLL);
  }
  throw new Error(`not within ${PATIENCE / 1000} s: ${what}`, { cause });
}
