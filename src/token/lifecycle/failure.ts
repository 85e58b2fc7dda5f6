import type { Reason } from '../../api/reasons.ts';
import type { RegistryTokenStatus } from '../../api/registry-token.ts';
import { shorten } from '../../api/syntax/text.ts';
import { toDeadline, toTime } from '../../api/syntax/time.ts';

/** Something that did not work, in the words of a condition. */
export interface Failure {
  reason: Reason;
  message: string;
  /** Whether trying again later can help without anybody changing anything. */
  retryable: boolean;
  /** Milliseconds the other side asked to wait. */
  retryAfter?: number | undefined;
  /** Whether nothing was sent, since the place is known to be down or paused: this says nothing about what was asked. */
  unsent?: boolean | undefined;
}

/** What only the registry can be the cause of. */
const AT_REGISTRY: ReadonlySet<Reason> = new Set<Reason>([
  'ClockSkew',
  'MintUnconfirmed',
  'RegistryConflict',
  'RegistryDiscontinued',
  'RegistryForbidden',
  'RegistryQuotaExceeded',
  'RegistryRateLimited',
  'RegistryRefused',
  'RegistryUnauthorized',
  'RegistryUnavailable',
  'TokenRefused',
]);

export function isRegistryFailure(reason: Reason): boolean {
  return AT_REGISTRY.has(reason);
}

/** Failures of a place rather than of what was asked of it: they are over when it answers again. */
const OUTAGE: ReadonlySet<string> = new Set<Reason>([
  'RegistryUnavailable',
  'RegistryRateLimited',
  'MintUnconfirmed',
]);

export function isOutage(reason: string): boolean {
  return OUTAGE.has(reason);
}

/** What is said of a failure that is retried. @param time RFC 3339 */
export function withRetryTime(message: string, time: string): string {
  return `${message}; will retry at ${time}`;
}

/** What is said where a place that is down keeps from trying at all. */
export function untilItAnswers(message: string): string {
  return `${message}; will retry as soon as it answers`;
}

const FAST = { first: 2_000, longest: 300_000 };
const SLOW = { first: 60_000, longest: 3_600_000 };
/** However long the other side asks to wait: a token must not die of a header. */
const MAX_WAIT = 3_600_000;

/**
 * How long to wait before the next try, in milliseconds: doubling from 2 s to 5 min with up to a fifth of jitter where
 * waiting helps, from 1 min to 1 h where somebody has to act first; never less than the other side asked for, up to an hour.
 * @param attempts failures in a row, this one included
 * @param random in [0, 1)
 */
export function retryDelay(
  failure: Pick<Failure, 'retryable' | 'retryAfter'>,
  attempts: number,
  random: number,
): number {
  const { first, longest } = failure.retryable ? FAST : SLOW;
  const backoff = Math.min(longest, first * 2 ** Math.min(attempts - 1, 30));
  return Math.max(Math.min(failure.retryAfter ?? 0, MAX_WAIT), backoff * (1 + random / 5));
}

/** As much of what went wrong as a status holds. */
export const MAX_MESSAGE = 1024;

/**
 * One more failure in a row: records and counts it, and says when to try again.
 * @param rotate value of the rotate-now annotation that it was tried with
 */
export function withFailure(
  status: RegistryTokenStatus,
  failure: Failure,
  now: number,
  random: number,
  rotate?: string,
): RegistryTokenStatus {
  const attempts = (status.failedAttempts ?? 0) + 1;
  return {
    ...status,
    failedAttempts: attempts,
    lastFailure: {
      time: toTime(now),
      reason: failure.reason,
      message: shorten(failure.message, MAX_MESSAGE),
    },
    nextRetryTime: toDeadline(now + retryDelay(failure, attempts, random)),
    ...(rotate === undefined ? {} : { lastTriedRotate: rotate }),
  };
}

export function withoutFailure(status: RegistryTokenStatus): RegistryTokenStatus {
  const { failedAttempts: _, lastFailure: __, nextRetryTime: ___, lastTriedRotate: ____, ...rest } = status;
  return rest;
}
