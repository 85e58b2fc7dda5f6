import type { Reason } from '../../api/reasons.ts';
import { ROTATE_ANNOTATION } from '../../api/names.ts';
import { fromTime, toTime } from '../../api/syntax/time.ts';
import { isOutage, isRegistryFailure, untilItAnswers, withRetryTime } from '../lifecycle/failure.ts';
import { isRetryRequested } from './rotate-now.ts';
import { MAX_HOST_PAUSE, pendingMessage } from '../lifecycle/pending-host.ts';
import { expiryOf, MIN_LIFE } from '../lifecycle/schedule.ts';
import { isExpired, type PlaceState, type Policy, type Situation } from './situation.ts';
import { hasRoomForMint } from '../lifecycle/previous-tokens.ts';

/** Something is to be done, but not now; `until` undefined: not before somebody changes something. */
export interface Hold {
  action: 'hold';
  reason: Reason;
  message: string;
  until: number | undefined;
  /** Whether it is the place that is waited for, so that whoever waits goes on when it answers. */
  awaitsPlace?: boolean;
}

const LOOK_AGAIN = 60_000;
const PAUSE_AFTER_DEAD = 300_000;

/** While one of these applies, nothing is done at all. */
export const GATES: readonly Policy<Hold>[] = [suspended, secretClaimedByOlder, secretIsForeign];

/** What keeps a wanted mint waiting. */
export const MINT_BRAKES: readonly Policy<Hold>[] = [
  secretIsLocked,
  accountNotReady,
  placeUnavailable,
  backingOff,
  lastCameDead,
  tooManyToRevoke,
];

/** What keeps a wanted write waiting. */
export const WRITE_BRAKES: readonly Policy<Hold>[] = [secretIsLocked, secretContested, repairBackingOff];

// What keeps everything waiting

function suspended({ spec }: Situation): Hold | undefined {
  if (!spec.suspend) return undefined;
  return hold('Suspended', 'spec.suspend is true: nothing is touched until it is false');
}

function secretClaimedByOlder({ olderClaimant, spec }: Situation): Hold | undefined {
  if (olderClaimant === undefined) return undefined;
  return hold(
    'SecretConflict',
    `RegistryToken ${olderClaimant} is older and names Secret ${spec.secret.name} too; choose another spec.secret.name`,
  );
}

function secretIsForeign({ secret, now }: Situation): Hold | undefined {
  if (secret.state !== 'foreign') return undefined;
  // A foreign Secret carries no label of ours, so no watch tells when it goes: look again now and then.
  return hold('SecretConflict', secret.message, now + LOOK_AGAIN);
}

// What keeps a mint or a write waiting

function secretIsLocked({ secret, spec, now }: Situation): Hold | undefined {
  if (secret.state !== 'ours' || !secret.locked) return undefined;
  return hold('SecretConflict', lockedMessage(spec.secret.name), now + LOOK_AGAIN);
}

export function lockedMessage(secret: string): string {
  return `Secret ${secret} is immutable and can't be written; delete it, and it is made anew`;
}

/** Which account it waits for, and whether that can be used, is known within moments of a start: nothing new to tell until then. */
export function accountNotReady({
  accountIsKnown,
  accountProblem,
  token,
  wanted,
}: Situation): Hold | undefined {
  if (!accountIsKnown) {
    const { status } = token;
    const reason =
      status?.reason === 'AccountNotReady' ? status.reason : status?.token ? 'Rotating' : 'Issuing';
    return hold(reason, `the credentials of RegistryAccount ${wanted.account} are being read`);
  }
  if (accountProblem === undefined && wanted.place) return undefined;
  const problem = accountProblem ?? 'it has not been looked at yet';
  return hold('AccountNotReady', `RegistryAccount ${wanted.account} is not ready: ${problem}`);
}

/** While a place is down, nothing is asked of it but now and then, to see whether it still is, or when people ask for it. */
function placeUnavailable({ place: { outage }, token, now }: Situation): Hold | undefined {
  if (!outage) return undefined;
  const { kind, message, retryAt, isTried } = outage;
  const down = kind === 'Down';
  if (!isTried && (retryAt <= now || (down && isRetryRequested(token)))) return undefined;
  return {
    ...hold(
      down ? 'RegistryUnavailable' : 'RegistryRateLimited',
      down ? untilItAnswers(message) : message,
      retryAt,
    ),
    // Who asks for it now does not leave the next try to others.
    awaitsPlace: down && !isRetryRequested(token),
  };
}

/**
 * A failure holds things back until its retry time, unless what failed has been changed since, its place is back, or people
 * ask for a rotation now. Times that lie ahead of the clock were written before it was set back: they say nothing, and waiting for
 * them could take for ever.
 */
export function backingOff({ token, now, accountChangedAt, place }: Situation): Hold | undefined {
  const { status, metadata } = token;
  const retry = fromTime(status?.nextRetryTime);
  const { lastFailure } = status ?? {};
  const failed = fromTime(lastFailure?.time);
  if (retry === undefined || retry <= now) return undefined;
  if (lastFailure === undefined || failed === undefined || failed > now) return undefined;
  if (status?.observedGeneration !== metadata.generation || isRetryRequested(token)) return undefined;
  // Status times are whole seconds: a change within the second of the failure may have come before it.
  if (accountChangedAt !== undefined && accountChangedAt >= failed + 1000 && accountChangedAt <= now)
    return undefined;
  if (isOutage(lastFailure.reason) && isWorthATry(place, failed, now)) return undefined;
  return hold(lastFailure.reason as Reason, withRetryTime(lastFailure.message, toTime(retry)), retry);
}

/** Whether a place that failed has answered since, or is to be asked whether it does. */
function isWorthATry({ outage, backAt }: PlaceState, failed: number, now: number): boolean {
  if (outage) return outage.kind === 'Down' && !outage.isTried && outage.retryAt <= now;
  return backAt !== undefined && backAt >= failed && backAt <= now;
}

/** What the registry failed at does not hold back a repair that needs no registry. */
function repairBackingOff(situation: Situation): Hold | undefined {
  const held = backingOff(situation);
  return held && situation.valueIsKnown && isRegistryFailure(held.reason) ? undefined : held;
}

/** A token that was dead when it came calls for another at once; with a clock that is wrong, so does that one. */
function lastCameDead({ token, now, registryNow }: Situation): Hold | undefined {
  const record = token.status?.token;
  const issued = fromTime(record?.issuedAt);
  if (!record || issued === undefined || expiryOf(record) - issued >= MIN_LIFE) return undefined;
  const age = registryNow - issued;
  if (age < 0 || age >= PAUSE_AFTER_DEAD) return undefined;
  const until = now + PAUSE_AFTER_DEAD - age;
  return hold(
    'ClockSkew',
    `the token issued at ${toTime(issued)} was to expire at ${toTime(expiryOf(record))}: the clock of this cluster or of the registry is wrong; the next is created at ${toTime(until)}`,
    until,
  );
}

/** A token that no status names is one that nobody revokes. */
function tooManyToRevoke({ token: { status = {} }, now }: Situation): Hold | undefined {
  if (hasRoomForMint(status)) return undefined;
  const count = status.previousTokens?.length ?? 0;
  return hold(
    'MintBudgetExceeded',
    `${count} earlier tokens are not revoked yet, as many as are kept track of; will issue the next once there are fewer`,
    now + LOOK_AGAIN,
  );
}

function secretContested({ secret, spec, contestedUntil, now }: Situation): Hold | undefined {
  if (contestedUntil === undefined || contestedUntil <= now) return undefined;
  const editor = (secret.state === 'ours' && secret.editor) || 'somebody';
  return hold(
    'SecretContested',
    `${editor} keeps changing Secret ${spec.secret.name}, so it is repaired ever more rarely; stop the other writer, or choose another spec.secret.name`,
    contestedUntil,
  );
}

/** The host that the account names now was tried a while ago, and is tried again later; or the Secret can't be written. */
export function hostNotAccepted(situation: Situation): Hold | undefined {
  const { token, wanted, hostTryAt, now } = situation;
  const { pendingHost } = token.status ?? {};
  // A time beyond all pauses was set before the clock was set back.
  const isAhead = hostTryAt !== undefined && hostTryAt > now && hostTryAt <= now + MAX_HOST_PAUSE;
  const isPaused = isAhead && pendingHost?.host === wanted.host;
  if (!isPaused) return secretIsLocked(situation) ?? accountNotReady(situation);
  return hold('HostNotAccepted', pendingMessage(pendingHost), hostTryAt);
}

/** With rotation by hand only, an expired token stays until somebody asks. */
export function expiredForGood(situation: Situation): Hold | undefined {
  if (!isExpired(situation)) return undefined;
  return hold(
    'TokenExpired',
    `the token has expired and spec.rotation.policy is Manual; ask for a rotation with annotation ${ROTATE_ANNOTATION}`,
  );
}

function hold(reason: Reason, message: string, until?: number): Hold {
  return { action: 'hold', reason, message, until };
}
