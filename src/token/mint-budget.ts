import { fromTime, toTime } from '../api/time.ts';

const HOUR = 3_600_000;

/**
 * Mints of the last hour. A time further ahead than an hour was written before the clock was set back, and would count
 * until the clock is there again.
 */
function recent(mintTimes: readonly string[] | undefined, now: number): number[] {
  return (mintTimes ?? []).map((time) => fromTime(time) ?? 0).filter((time) => Math.abs(now - time) < HOUR);
}

/**
 * When the budget of `budget` mints in any hour allows the next one.
 * @param budget 0: there is no limit
 * @returns milliseconds since 1970, or undefined: now
 */
export function budgetFreeAt(
  mintTimes: readonly string[] | undefined,
  budget: number,
  now: number,
): number | undefined {
  const times = recent(mintTimes, now).sort((a, b) => a - b);
  // There is none while fewer were minted.
  const blocking = times.at(-budget);
  return budget === 0 || blocking === undefined ? undefined : blocking + HOUR;
}

/** The mint times to record when one more begins now: those that the budget still counts, and this. */
export function countMint(mintTimes: readonly string[] | undefined, budget: number, now: number): string[] {
  if (budget === 0) return [];
  return [...recent(mintTimes, now).map(toTime), toTime(now)].slice(-budget);
}
