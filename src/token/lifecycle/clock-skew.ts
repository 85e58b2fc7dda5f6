import { formatDuration } from '../../api/syntax/duration.ts';
import { toTime } from '../../api/syntax/time.ts';
import type { Failure } from './failure.ts';

/** How wrong a clock may be, of this machine or of whoever asks for something, without harm. Milliseconds. */
export const CLOCK_ERROR = 86_400_000;
/** From here on a difference between clocks is worth telling somebody. Milliseconds. */
const REMARKABLE = 60_000;

/**
 * Says that two clocks differ, if they do by a minute or more; in whole minutes, so that it says the same at every look.
 * @param skew how far the registry's clock is ahead, in milliseconds
 */
export function skewRemark(skew: number): string | undefined {
  if (Math.abs(skew) < REMARKABLE) return undefined;
  const distance = formatDuration(Math.round(Math.abs(skew) / REMARKABLE) * REMARKABLE);
  const side = skew > 0 ? 'behind' : 'ahead of';
  return `the operator's clock is ${distance} ${side} the registry's; one of them is wrong`;
}

/**
 * What is the matter with a token that has expired when it comes; undefined for one that lives. By which clock it is
 * judged: the registry's, where known.
 * @param expiresAt milliseconds since 1970; null when it never expires
 */
export function deadOnArrival(expiresAt: number | null, now: number, skew: number): Failure | undefined {
  if (expiresAt === null || expiresAt > now + skew) return undefined;
  const clocks = skewRemark(skew) ?? `it is ${toTime(now)} by the operator's clock`;
  return {
    reason: 'ClockSkew',
    message: `the registry gave a token that had expired at ${toTime(expiresAt)}: ${clocks}; correct the clock that is wrong`,
    retryable: true,
  };
}
