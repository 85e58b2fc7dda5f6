import type {
  MintIntent,
  PreviousToken,
  RegistryTokenStatus,
  TokenRecord,
} from '../../api/registry-token.ts';
import { shorten } from '../../api/syntax/text.ts';
import { fromTime, toDeadline, toTime } from '../../api/syntax/time.ts';
import { handledUntil, lastHandled } from '../decide/account-rotation.ts';
import type { Failure } from './failure.ts';
import { retryDelay } from './failure.ts';
import { countMint, mintTimesField, type MintAllowance } from '../decide/mint-budget.ts';
import { isSameToken } from './place.ts';
import { surelyExpiredAt } from './schedule.ts';

/**
 * The steps of a RegistryToken's status, each a pure function from one status to the next. Conditions are not their
 * business (see conditions.ts). Times in milliseconds since 1970.
 */

/** As many as the CRD's schema takes. None is dropped: nobody would know any more that it is to be revoked. */
const MAX_PREVIOUS = 64;
/** Of those that are not revoked yet, the latest so many keep their grace period; the rest is revoked before its time. */
const MAX_IN_GRACE = 48;

/** As many as the CRD's schema takes; a token that comes of one that fell off is reported by the sweep. */
const MAX_LOST = 32;

/**
 * Revision of the next token: above every one that may ever have been used.
 * @param listed the highest that was seen at the registry: a status can be older than what is there, as after a restore
 */
export function nextRevision(status: RegistryTokenStatus, listed = 0): number {
  const { token, mintIntent, previousTokens = [], lostIntents = [], lastRevision = 0 } = status;
  const used = [token, mintIntent, ...previousTokens, ...lostIntents].map((entry) => entry?.revision ?? 0);
  return 1 + Math.max(listed, lastRevision, ...used);
}

/** Whether all that a mint can leave behind fits into the previous tokens: a token of no use, and the one in force until then. */
export function hasRoomForMint({ previousTokens = [] }: RegistryTokenStatus): boolean {
  return previousTokens.length <= MAX_PREVIOUS - 2;
}

/** Before anything is asked of the registry: what is about to be minted, where and why. @param listed as in `nextRevision` */
export function withIntent(
  status: RegistryTokenStatus,
  intent: Omit<MintIntent, 'revision' | 'startedAt' | 'phase'>,
  allowance: MintAllowance,
  now: number,
  listed = 0,
): RegistryTokenStatus & { mintIntent: MintIntent } {
  const counted = mintTimesField(intent.reason);
  const revision = nextRevision(status, listed);
  return {
    ...withLost(status),
    mintIntent: { revision, startedAt: toTime(now), phase: 'Announced', ...intent },
    [counted]: countMint(status[counted], allowance, now),
  };
}

/** An open request is given up: should a token come of it after all, it is known whose that is. */
function withLost(status: RegistryTokenStatus): RegistryTokenStatus {
  const { mintIntent, ...rest } = status;
  const { token, previousTokens = [], lostIntents = [] } = status;
  if (!mintIntent) return status;
  const { revision, nonce, account, scope } = mintIntent;
  // What came of it is recorded where it is in force or to be revoked.
  if ([token, ...previousTokens].some((entry) => entry?.revision === revision)) return rest;
  const lost = {
    revision,
    ...(nonce === undefined ? {} : { nonce }),
    // Where a registry lists scopes apart, what comes of it is in the list of that one.
    ...(scope?.length === 1 && { account, scope }),
  };
  const others = lostIntents.filter((other) => other.revision !== revision);
  return { ...rest, lostIntents: [...others, lost].slice(-MAX_LOST) };
}

/**
 * Whether a Secret of the RegistryToken holds a token that its status does not name: then the status is older than the Secret,
 * or was lost, as after a restore from a backup.
 */
export function isOlderThanSecret(status: RegistryTokenStatus, held: string | undefined): boolean {
  const { token, previousTokens = [] } = status;
  return held !== undefined && ![token, ...previousTokens].some((entry) => entry?.id === held);
}

/** What has become known of the open mint, if there is one. */
export function withPhase(status: RegistryTokenStatus, phase: MintIntent['phase']): RegistryTokenStatus {
  const { mintIntent } = status;
  return mintIntent ? { ...status, mintIntent: { ...mintIntent, phase } } : status;
}

/** The mint surely did not happen: its revision is free again, and it does not count against the budget. */
export function withoutIntent(status: RegistryTokenStatus): RegistryTokenStatus {
  const { mintIntent, ...others } = status;
  const rest = mintIntent ? withUsedRevision(others, mintIntent.revision - 1) : others;
  const counted = mintTimesField(mintIntent?.reason ?? '');
  const times = status[counted] ?? [];
  const index = times.lastIndexOf(mintIntent?.startedAt ?? '');
  return index < 0 ? rest : { ...rest, [counted]: times.toSpliced(index, 1) };
}

/** The mint left no token to use and no other is to be created: its revision stays used, whatever becomes of its strays. */
export function withLostIntent(status: RegistryTokenStatus): RegistryTokenStatus {
  const { mintIntent } = status;
  return mintIntent ? withUsedRevision(withLost(status), mintIntent.revision) : status;
}

/** Keeps a revision from being used again, where the token in force does not say that it was. */
export function withUsedRevision(status: RegistryTokenStatus, revision: number): RegistryTokenStatus {
  return revision > (status.token?.revision ?? 0) ? { ...status, lastRevision: revision } : status;
}

/**
 * The Secret holds the new token: the one before is revoked `grace` from now, or struck off once it has surely expired. Where too
 * many wait to be revoked, the oldest do not wait any longer.
 * @param request that it came of
 */
export function withToken(
  status: RegistryTokenStatus,
  token: TokenRecord,
  request: Pick<MintIntent, 'reason' | 'rotate' | 'accountRotation'>,
  grace: number,
  now: number,
): RegistryTokenStatus {
  const {
    mintIntent: _,
    lastHandledAccountRotation: __,
    lastRevision: ___,
    ...rest
  } = withoutFailure(status);
  const { reason, rotate, accountRotation } = request;
  const handled = lastHandled(handledUntil(status, token.account, now), accountRotation);
  const before = status.token;
  const retired = before && before.revocable !== false ? [retire(before, now, grace)] : [];
  const next = {
    ...rest,
    token,
    lastRotation: { time: toTime(now), reason },
    ...(rotate === undefined ? {} : { lastHandledRotate: rotate }),
    ...(handled === undefined ? {} : { lastHandledAccountRotation: handled }),
  };
  const { previousTokens = [], ...others } = withPrevious(next, [
    ...(status.previousTokens ?? []),
    ...retired,
  ]);
  const early = previousTokens.length - MAX_IN_GRACE;
  const hurried = previousTokens.map((each, at) =>
    at < early && isLater(each.revokeAt, now) ? { ...each, revokeAt: toTime(now) } : each,
  );
  return withPrevious(others, hurried);
}

/**
 * Tokens that came of the open mint and nobody refers to are revoked at once. Those for which there is no room are left to the
 * sweep, which finds them by that mint.
 */
export function withStrays(
  status: RegistryTokenStatus,
  strays: readonly Omit<PreviousToken, 'revokeAt'>[],
  now: number,
): RegistryTokenStatus {
  const found = strays.map((stray) => ({ ...stray, revokeAt: toTime(now) }));
  const all = distinct(status, [...(status.previousTokens ?? []), ...found]);
  const noted = withPrevious(status, all.slice(0, MAX_PREVIOUS - 1));
  const { mintIntent } = status;
  if (all.length < MAX_PREVIOUS || !mintIntent) return noted;
  const { lostIntents } = withLost({
    mintIntent,
    ...(status.lostIntents && { lostIntents: status.lostIntents }),
  });
  return { ...noted, ...(lostIntents && { lostIntents }) };
}

const MAX_MESSAGE = 1024;

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

/** A previous token is gone from the registry, or expired: nothing is left to do about it. */
export function withoutPrevious(
  status: RegistryTokenStatus,
  gone: Pick<PreviousToken, 'id' | 'place'>,
): RegistryTokenStatus {
  return withPrevious(
    status,
    (status.previousTokens ?? []).filter((token) => !isSameToken(token, gone)),
  );
}

/** Revoking a previous token failed: counts it and says when to try again. */
export function withRevocationFailure(
  status: RegistryTokenStatus,
  failed: Pick<PreviousToken, 'id' | 'place'>,
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

/** What the tokens there are, and the one that may come, were made for: what they hang on at the registry stays. */
export function specHashesOf({ token, mintIntent, previousTokens = [] }: RegistryTokenStatus): Set<string> {
  return new Set([token, mintIntent, ...previousTokens].flatMap((entry) => entry?.specHash ?? []));
}

/** Each once, and never the one in force. */
function distinct({ token }: RegistryTokenStatus, tokens: readonly PreviousToken[]): PreviousToken[] {
  return tokens.filter(
    (each, at) =>
      !(token && isSameToken(token, each)) && tokens.findIndex((other) => isSameToken(other, each)) === at,
  );
}

/** With these previous tokens: none at all if there are none, and the latest of those that a tampered status has too many of. */
function withPrevious(status: RegistryTokenStatus, tokens: readonly PreviousToken[]): RegistryTokenStatus {
  const { previousTokens: _, ...rest } = status;
  const kept = distinct(rest, tokens).slice(-MAX_PREVIOUS);
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
