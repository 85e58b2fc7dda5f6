import type { Reason } from '../../api/reasons.ts';
import { RegistryError, type RegistryErrorCode } from '../../registry/errors.ts';
import type { Failure } from '../../token/lifecycle/failure.ts';

/**
 * After so many failures in a row at single objects of a place it is left alone for now: the circuit breaker would take it for down,
 * and hold up who needs a token.
 */
export const MAX_FAILURES = 3;

const REASONS: Record<RegistryErrorCode, Reason> = {
  Unauthorized: 'RegistryUnauthorized',
  Forbidden: 'RegistryForbidden',
  NotFound: 'RegistryRefused',
  Conflict: 'RegistryConflict',
  QuotaExceeded: 'RegistryQuotaExceeded',
  RateLimited: 'RegistryRateLimited',
  Discontinued: 'RegistryDiscontinued',
  InvalidRequest: 'RegistryRefused',
  Unavailable: 'RegistryUnavailable',
  Ambiguous: 'MintUnconfirmed',
};

/**
 * What a registry's error means for a RegistryToken.
 * @throws whatever else it is given: a bug, or an aborted signal
 */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof RegistryError)) throw error;
  return {
    reason: REASONS[error.code],
    message: error.message,
    retryable: error.retryable,
    retryAfter: error.retryAfter,
    unsent: error.unsent,
  };
}
