import { formatDuration } from '../../api/syntax/duration.ts';
import { toTime } from '../../api/syntax/time.ts';
import type { Failure } from './failure.ts';

/** How wrong a clock may be, of this machine or of whoever asks for something, without harm. Milliseconds. */
export const CLOCK_ERROR = 86_400_000;
/** From here on a difference between clocks is worth telling somebody. Milliseconds. */
const REMARKABLE = 60_000;

/** One moment by two clocks, in milliseconds since 1970. */
export interface Moment {
  /** By this machine's clock, which times what the operator does. */
  now: number;
  /** By the registry's clock, which counts for when tokens are issued and expire; as `now` where it is not known. */
  registryNow: number;
}

/** When something was by the registry's clock that was then by this machine's. All in milliseconds since 1970. */
export function registryTime(machineTime: number, { now, registryNow }: Moment): number {
  return registryNow - (now - machineTime);
}

/** Says that two clocks differ, if they do by a minute or more; in whole minutes, so that it says the same at every look. */
export function skewRemark({ now, registryNow }: Moment): string | undefined {
  const skew = registryNow - now;
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
export function deadOnArrival(expiresAt: number | null, moment: Moment): Failure | undefined {
  if (expiresAt === null || expiresAt > moment.registryNow) return undefined;
  const clocks = skewRemark(moment) ?? `it is ${toTime(moment.now)} by the operator's clock`;
  return {
    reason: 'ClockSkew',
    message: `the registry gave a token that had expired at ${toTime(expiresAt)}: ${clocks}; correct the clock that is wrong`,
    retryable: true,
  };
}
