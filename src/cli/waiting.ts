import { sleep } from '../common/clock.ts';
import { parseDuration } from '../api/syntax/duration.ts';
import type { Context } from './context.ts';
import { CommandFailure } from './failure.ts';
import { Progress } from './terminal.ts';

/** What a look came to: done, or what is still to come, for a line of progress. */
export type Look<T> = { done: T } | { waiting: string };

/** Milliseconds between two looks. */
const PAUSE = 1_000;

/**
 * Looks again and again until something is done, and says meanwhile how far it is.
 * @param patience milliseconds
 * @returns what it was waiting for when the patience was over, if it was
 * @throws what the look throws; the reason of the context's signal
 */
export async function waitFor<T>(
  { clock, signal, terminal }: Pick<Context, 'clock' | 'signal' | 'terminal'>,
  patience: number,
  look: () => Promise<Look<T>>,
): Promise<Look<T>> {
  const progress = new Progress(terminal);
  const deadline = clock.monotonic() + patience;
  try {
    for (;;) {
      const seen = await look();
      if ('done' in seen || clock.monotonic() >= deadline) return seen;
      progress.report(seen.waiting);
      await sleep(clock, PAUSE, signal);
    }
  } finally {
    progress.end();
  }
}

/** Milliseconds of a flag such as `--timeout`. @throws CommandFailure */
export function readDuration(flag: string, text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined)
    throw new CommandFailure(
      `--${flag} is ${JSON.stringify(text)}`,
      'give it in hours, minutes and seconds, such as 24h, 1h30m or 45s',
    );
  return milliseconds;
}
