import type {
  MintIntent,
  PreviousToken,
  RegistryTokenStatus,
  TokenRecord,
} from '../../api/registry-token.ts';
import { toTime } from '../../api/syntax/time.ts';
import { handledUntil, lastHandled } from '../decide/account-rotation.ts';
import { countMint, mintTimesField, type MintAllowance } from '../decide/mint-budget.ts';
import { withoutFailure } from './failure.ts';
import { distinct, MAX_PREVIOUS, withPreviousToken, withPreviousTokens } from './previous-tokens.ts';
import type { Stray, TokenRequest } from './token-record.ts';

/** The steps of a mint in a RegistryToken's status, each a pure function from one status to the next. Times in milliseconds since 1970. */

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

/** Whether nothing later than a token was ever asked for, as far as the status knows. */
export function isLastMinted(status: RegistryTokenStatus, { revision }: TokenRecord): boolean {
  return status.mintIntent === undefined && nextRevision(status) <= revision + 1;
}

/** Before anything is asked of the registry: what is about to be minted, where and why. @param listed as in `nextRevision` */
export function withIntent(
  status: RegistryTokenStatus,
  intent: TokenRequest & Pick<MintIntent, 'nonce'>,
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
  const { token, lastRevision = 0 } = status;
  return revision > Math.max(token?.revision ?? 0, lastRevision)
    ? { ...status, lastRevision: revision }
    : status;
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
  const next = {
    ...rest,
    token,
    lastRotation: { time: toTime(now), reason },
    ...(rotate === undefined ? {} : { lastHandledRotate: rotate }),
    ...(handled === undefined ? {} : { lastHandledAccountRotation: handled }),
  };
  return withPreviousToken(next, status.token, grace, now);
}

/**
 * Tokens that came of the open mint and nobody refers to are revoked at once. Those for which there is no room are left to the
 * sweep, which finds them by that mint.
 */
export function withStrays(
  status: RegistryTokenStatus,
  strays: readonly Stray[],
  now: number,
): RegistryTokenStatus {
  const { token, previousTokens: recorded = [], mintIntent } = status;
  const found = strays.map((stray): PreviousToken => ({ ...stray, revokeAt: toTime(now) }));
  const all = distinct([...recorded, ...found], token);
  const noted = withPreviousTokens(status, all.slice(0, MAX_PREVIOUS - 1));
  if (all.length < MAX_PREVIOUS || !mintIntent) return noted;
  const { lostIntents } = withLost({
    mintIntent,
    ...(status.lostIntents && { lostIntents: status.lostIntents }),
  });
  return { ...noted, ...(lostIntents && { lostIntents }) };
}
