/** Time as the operator sees it. Everything that waits or reads the time takes one, so tests can turn it by hand. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970. It can jump; never subtract two of these to measure how long something took. */
  now(): number;
  /** Milliseconds since some fixed point; never jumps. */
  monotonic(): number;
  /**
   * Calls back once after `milliseconds` (any length; beyond the 24.8 days a plain timer can do as well).
   * @returns a function that cancels; harmless when called late or twice.
   */
  after(milliseconds: number, callback: () => void): () => void;
}

/** Longest delay `setTimeout` accepts; beyond it, Node fires at once. */
const MAX_TIMER = 2 ** 31 - 1;

/** The machine's own clock. Its timers keep the process alive while they are pending. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(milliseconds, callback) {
    const due = performance.now() + milliseconds;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = due - performance.now();
      timer = left > MAX_TIMER ? setTimeout(arm, MAX_TIMER) : setTimeout(callback, Math.max(0, left));
    };
    arm();
    return () => clearTimeout(timer);
  },
};

/**
 * Resolves after `milliseconds` of `clock`.
 * @throws the signal's reason when it aborts first.
 */
export function sleep(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = clock.after(milliseconds, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
