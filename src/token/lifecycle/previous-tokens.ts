import type { PreviousToken, RegistryTokenStatus, TokenRecord } from '../../api/registry-token.ts';
import { shorten } from '../../api/syntax/text.ts';
import { fromTime, toDeadline, toTime } from '../../api/syntax/time.ts';
import { MAX_MESSAGE, retryDelay, type Failure } from './failure.ts';
import { isSamePlace, isSameToken, type TokenKey } from './place.ts';
import { surelyExpiredAt } from './schedule.ts';

/** The tokens in a RegistryToken's status that are to be revoked. Times in milliseconds since 1970. */

/** As many as the CRD's schema takes. None is dropped: nobody would know any more that it is to be revoked. */
export const MAX_PREVIOUS = 64;

/** Of those that are not revoked yet, the latest so many keep their grace period; the rest is revoked before its time. */
const MAX_IN_GRACE = 48;

/** Whether all that a mint can leave behind fits into the previous tokens: a token of no use, and the one in force until then. */
export function hasRoomForMint({ previousTokens = [] }: RegistryTokenStatus): boolean {
  return previousTokens.length <= MAX_PREVIOUS - 2;
}

/**
 * Another token has taken the place of this one, which is revoked `grace` from now, or struck off once it has surely expired; one
 * that nobody can revoke is left to its end. Where too many wait to be revoked, the oldest do not wait any longer.
 */
export function withPreviousToken(
  status: RegistryTokenStatus,
  before: TokenRecord | undefined,
  grace: number,
  now: number,
): RegistryTokenStatus {
  const retired = before && before.revocable !== false ? [retire(before, now, grace)] : [];
  const { previousTokens = [], ...rest } = withPreviousTokens(status, [
    ...(status.previousTokens ?? []),
    ...retired,
  ]);
  const early = previousTokens.length - MAX_IN_GRACE;
  const hurried = previousTokens.map((each, at) =>
    at < early && isLater(each.revokeAt, now) ? { ...each, revokeAt: toTime(now) } : each,
  );
  return withPreviousTokens(rest, hurried);
}

/** A previous token is gone from the registry, or expired: nothing is left to do about it. */
export function withoutPrevious(status: RegistryTokenStatus, gone: TokenKey): RegistryTokenStatus {
  return withPreviousTokens(
    status,
    (status.previousTokens ?? []).filter((token) => !isSameToken(token, gone)),
  );
}

/** Revoking a previous token failed: counts it and says when to try again. */
export function withRevocationFailure(
  status: RegistryTokenStatus,
  failed: TokenKey,
  failure: Failure,
  now: number,
  random: number,
): RegistryTokenStatus {
  return {
    ...status,
    previousTokens: (status.previousTokens ?? []).map((token) => {
      if (!isSameToken(token, failed)) return token;
      const attempts = (token.attempts ?? 0) + 1;
      return {
        ...token,
        attempts,
        lastError: shorten(failure.message, MAX_MESSAGE),
        nextAttemptTime: toDeadline(now + retryDelay(failure, attempts, random)),
      };
    }),
  };
}

/** The grace period was shortened, or is as it was: no previous token has longer than `grace` from now. */
export function withGrace(status: RegistryTokenStatus, grace: number, now: number): RegistryTokenStatus {
  const latest = now + grace;
  const { previousTokens } = status;
  if (!previousTokens?.some(({ revokeAt }) => isLater(revokeAt, latest))) return status;
  const revokeAt = grace === 0 ? toTime(now) : toDeadline(latest);
  return {
    ...status,
    previousTokens: previousTokens.map((token) =>
      isLater(token.revokeAt, latest) ? { ...token, revokeAt } : token,
    ),
  };
}

/** Whether a time of the status, a whole second, lies after a moment, by more than it was rounded. */
function isLater(time: string, moment: number): boolean {
  return (fromTime(time) ?? 0) >= moment + 1000;
}

/**
 * Previous tokens to revoke now.
 * @param isFreed whether what made the last try at a token fail is over: it need not wait for the next
 */
export function dueForRevocation(
  status: RegistryTokenStatus,
  now: number,
  isFreed: (token: PreviousToken) => boolean = () => false,
): PreviousToken[] {
  return (status.previousTokens ?? []).filter(
    (token) => (isFreed(token) ? (fromTime(token.revokeAt) ?? 0) : revocationTime(token)) <= now,
  );
}

/** When a previous token is to be revoked, or its revocation tried again. */
export function revocationTime({ revokeAt, nextAttemptTime }: PreviousToken): number {
  return Math.max(fromTime(revokeAt) ?? 0, fromTime(nextAttemptTime) ?? 0);
}

/** Says of a quota that is used up how much of it are tokens in their grace period, which who reads it can shorten. */
export function withTokensInGrace(
  failure: Failure,
  { previousTokens = [] }: RegistryTokenStatus,
  at: PreviousToken['place'],
): Failure {
  if (failure.reason !== 'RegistryQuotaExceeded') return failure;
  const { length } = previousTokens.filter(
    ({ place, attempts = 0 }) => attempts === 0 && isSamePlace(place, at),
  );
  if (length === 0) return failure;
  const [are, them] =
    length === 1
      ? ['1 token there is a previous one', 'it']
      : [`${length} tokens there are previous ones`, 'them'];
  return {
    ...failure,
    message: `${failure.message}; ${are} of this RegistryToken in its grace period: shorten spec.rotation.gracePeriod to have ${them} revoked sooner`,
  };
}

/** What the tokens there are, and the one that may come, were made for: what they hang on at the registry stays. */
export function specHashesOf({ token, mintIntent, previousTokens = [] }: RegistryTokenStatus): Set<string> {
  return new Set([token, mintIntent, ...previousTokens].flatMap((entry) => entry?.specHash ?? []));
}

/** Each once, and never the one in force. */
export function distinct(
  tokens: readonly PreviousToken[],
  inForce: TokenRecord | undefined,
): PreviousToken[] {
  return tokens.filter(
    (each, at) =>
      !(inForce && isSameToken(inForce, each)) &&
      tokens.findIndex((other) => isSameToken(other, each)) === at,
  );
}

/** With these previous tokens: none at all if there are none, and the latest of those that a tampered status has too many of. */
export function withPreviousTokens(
  status: RegistryTokenStatus,
  tokens: readonly PreviousToken[],
): RegistryTokenStatus {
  const { previousTokens: _, ...rest } = status;
  const kept = distinct(tokens, rest.token).slice(-MAX_PREVIOUS);
  return kept.length === 0 ? rest : { ...rest, previousTokens: kept };
}

function retire(token: TokenRecord, now: number, grace: number): PreviousToken {
  const { id, revision, specHash, scope, account, region, place, issuedAt, expiresAt } = token;
  const end = Math.min(now + grace, surelyExpiredAt(token));
  return {
    id,
    revision,
    specHash,
    ...(scope && { scope }),
    account,
    region,
    place,
    issuedAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    revokeAt: grace === 0 ? toTime(now) : toDeadline(end),
  };
}
