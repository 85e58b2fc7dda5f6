import type { RegistryTokenStatus } from '../../api/registry-token.ts';
import { fromTime, toTime } from '../../api/syntax/time.ts';
import { shortestInForce, type Rhythm } from '../lifecycle/schedule.ts';

const HOUR = 3_600_000;
/** Reasons by which people ask for a token. What they do within an hour is not what a fault does within a minute. */
const ON_REQUEST: ReadonlySet<string> = new Set([
  'SpecChanged',
  'PlaceChanged',
  'RotationRequested',
  'AccountRotation',
]);
/** How many times the budget people may use up in an hour, up to `MAX_COUNT`. */
const REQUEST_FACTOR = 4;
/** As many times as the CRD's schema takes in a list. */
const MAX_COUNT = 64;
/** The part of what the schedule takes for so many tokens within which they may be issued: rotations and repairs together. */
const SCHEDULE_SHARE = 0.75;

/** How many tokens may be issued within which time, in milliseconds. */
export interface MintAllowance {
  count: number;
  window: number;
}

/** The status field that holds when tokens were issued, for reasons as this. */
export function mintTimesField(reason: string): 'mintTimes' | 'requestedMintTimes' {
  return ON_REQUEST.has(reason) ? 'requestedMintTimes' : 'mintTimes';
}

/**
 * How many tokens may be issued for a reason. What people ask for has an allowance of its own, so that neither uses up the
 * other's. Where the schedule needs more than `budget` tokens an hour, the hour shrinks to what it takes for so many: a token's
 * lifetime never asks for more than it is allowed.
 * @param budget tokens an hour; 0: there is no limit
 */
export function mintAllowance(
  reason: string,
  budget: number,
  status: RegistryTokenStatus | undefined,
  rhythm: Rhythm,
): MintAllowance {
  if (ON_REQUEST.has(reason)) return { count: Math.min(budget * REQUEST_FACTOR, MAX_COUNT), window: HOUR };
  const scheduled = budget * shortestInForce(status?.token, rhythm) * SCHEDULE_SHARE;
  return { count: budget, window: budget === 0 ? HOUR : Math.min(HOUR, scheduled) };
}

/**
 * Times within the window. One further ahead than the window was written before the clock was set back, and would count
 * until the clock is there again.
 */
function recent(mintTimes: readonly string[] | undefined, window: number, now: number): number[] {
  return (mintTimes ?? []).map((time) => fromTime(time) ?? 0).filter((time) => Math.abs(now - time) < window);
}

/**
 * When an allowance has room for one more token.
 * @returns milliseconds since 1970, or undefined: now
 */
export function allowedAt(
  mintTimes: readonly string[] | undefined,
  { count, window }: MintAllowance,
  now: number,
): number | undefined {
  const times = recent(mintTimes, window, now).sort((a, b) => a - b);
  // There is none while fewer were issued.
  const blocking = times.at(-count);
  return count === 0 || blocking === undefined ? undefined : blocking + window;
}

/** The times to record when one more token is issued now: those that the allowance still counts, and this. */
export function countMint(
  mintTimes: readonly string[] | undefined,
  { count, window }: MintAllowance,
  now: number,
): string[] {
  if (count === 0) return [];
  return [...recent(mintTimes, window, now).map(toTime), toTime(now)].slice(-count);
}
