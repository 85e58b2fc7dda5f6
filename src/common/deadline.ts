import type { Clock } from './clock.ts';

/**
 * Milliseconds for a TCP handshake with one of several addresses of a host, before the next is tried. Node's 250 ms are less than the
 * way to another continent takes; where the other address can't be reached at all, it would never get there.
 */
export const ADDRESS_TIMEOUT = 2_000;

/**
 * Runs a task with a signal that aborts with `signal`, or after `milliseconds` of `clock` if that is sooner.
 * @throws what the task throws; for a task that heeds its signal, the signal's reason
 */
export async function withDeadline<T>(
  clock: Clock,
  milliseconds: number,
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // Not AbortSignal.any: a signal that lives long remembers each signal made of it until the whole heap is collected.
  const limited = new AbortController();
  const onAbort = (): void => limited.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const cancel = clock.after(milliseconds, () => limited.abort(new DeadlinePassed()));
  try {
    return await task(limited.signal);
  } finally {
    cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

/** The reason a deadline's signal aborts with. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';

  constructor() {
    super('there was no answer in time');
  }
}

/** Whether `work` ends within so many milliseconds of `clock`, well or badly. It goes on if it does not. */
export async function endsWithin(
  clock: Clock,
  milliseconds: number,
  work: Promise<unknown>,
): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const cancel = clock.after(milliseconds, () => late.resolve(false));
  const ended = (): boolean => true;
  try {
    return await Promise.race([work.then(ended, ended), late.promise]);
  } finally {
    cancel();
  }
}
