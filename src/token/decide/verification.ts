import type { MintIntent } from '../../api/registry-token.ts';
import type { Verdict } from '../../common/verdict.ts';
import type { Failure } from '../lifecycle/failure.ts';
import { isSamePlace } from '../lifecycle/place.ts';
import { expiryOf } from '../lifecycle/schedule.ts';
import { hostInForce, isExpired, isGood, type Situation } from './situation.ts';

/**
 * What pods lose if a new token is put into the Secret with the host that the account names, and the registry there does not know
 * it: nothing, since it is of the same place and host, or the Secret has nothing that is any good; the host, which serves the new
 * token too; the token of another place or region, or with other permissions that may not be in effect yet, and the host; or what is in a Secret that is to be adopted.
 */
export type Stake = 'nothing' | 'host' | 'token' | 'adopted';

/** It was refused, and may be good yet: registries take a while to spread what is new. Or it must be accepted, and nobody knows. */
export interface Waiting {
  action: 'wait';
  /** What the refusal said; undefined: it was not refused. */
  refusal: string | undefined;
  /** What is to be said of it. */
  message: string;
  /** When to try again, milliseconds since 1970. */
  until: number;
}

/** Into the Secret with it. */
export interface Use {
  action: 'use';
  /** Why nobody knows whether the registry accepts it. */
  doubt: string | undefined;
  /** With the host that the Secret has: why not with the one that the account names. */
  keepsHost?: { refused: boolean; message: string } | undefined;
}

/** What becomes of a new token after it was tried. */
export type Ruling =
  | Use
  | Waiting
  /** It never gets into the Secret. */
  | { action: 'refuse'; failure: Failure };

/** How long any registry may take to accept a token that it made itself, in milliseconds. */
export const MIN_ACCEPTANCE = 30_000;
const FIRST_PAUSE = 1_000;
/** The longest between two tries of a token that must be accepted. */
const MAX_PAUSE = 300_000;

/** What a new token is tried for. */
export interface Trial {
  /** What pods would lose: only what was accepted takes its place. */
  stake: Stake;
  /**
   * When its mint began, milliseconds since 1970. A time ahead of now was written before the clock was set back and says nothing:
   * the wait counts as over.
   */
  startedAt: number;
  /** How long the registry says that it may refuse what it just made, in milliseconds. */
  acceptance: number;
}

/**
 * Decides about a new token. One that was refused is not used on a later doubt: the registry has said no to it, and the
 * token before it may still be good. Nor is one refusal alone the last word, however late it comes.
 * @param before what was decided about it last, if that was to wait
 * @param now milliseconds since 1970
 */
export function rule(
  verdict: Verdict,
  before: Waiting | undefined,
  { stake, startedAt, acceptance }: Trial,
  now: number,
): Ruling {
  if (verdict.answer === 'unknown' && stake === 'adopted') {
    const message = `whether it does is not known, and a Secret is adopted only when it is: ${verdict.message}`;
    return { action: 'wait', refusal: before?.refusal, message, until: now + MIN_ACCEPTANCE };
  }
  if (verdict.answer === 'accepted') return { action: 'use', doubt: undefined };
  const { message } = verdict;
  const refusal = verdict.answer === 'refused' ? message : before?.refusal;
  const elapsed = now - startedAt;
  if (refusal === undefined) {
    if (stake === 'nothing') return { action: 'use', doubt: message };
    if (stake === 'host') return { action: 'use', doubt: undefined, keepsHost: { refused: false, message } };
    const pause = Math.min(Math.max(elapsed, FIRST_PAUSE), MAX_PAUSE);
    return { action: 'wait', refusal, message, until: now + pause };
  }
  const patience = Math.max(acceptance, MIN_ACCEPTANCE);
  if (elapsed >= 0 && elapsed < patience) {
    // Each pause as long as all that came before it, up to a limit: a handful of tries in all.
    const pause = Math.min(Math.max(elapsed, FIRST_PAUSE), MIN_ACCEPTANCE);
    return {
      action: 'wait',
      refusal,
      message: refusal,
      until: Math.min(now + pause, startedAt + patience),
    };
  }
  if (before?.refusal === undefined)
    return { action: 'wait', refusal, message: refusal, until: now + FIRST_PAUSE };
  if (stake === 'host')
    return { action: 'use', doubt: undefined, keepsHost: { refused: true, message: refusal } };
  return {
    action: 'refuse',
    failure: {
      reason: 'TokenRefused',
      message: `the registry does not accept the token that was created for it: ${refusal}; the token is not used and the Secret stays as it is; check that host and endpoint of the account's region belong together and that what spec.scope names exists, or set spec.verify of the account to Never`,
      retryable: false,
    },
  };
}

/**
 * Whether it is too early to try a token again. A wait beyond all waits comes of a clock set back, and one for a token that must
 * be accepted ends where nothing is at stake any more.
 */
export function isWaiting({ until, refusal }: Waiting, stake: Stake, now: number): boolean {
  if (refusal === undefined)
    return (stake === 'token' || stake === 'adopted') && now < until && until <= now + MAX_PAUSE;
  return now < until && until <= now + MIN_ACCEPTANCE;
}

/** What pods would lose by a new token of the place that is wanted; see `Stake`. */
export function stakeOf(situation: Situation): Stake {
  const { token, spec, wanted, secret, verifies } = situation;
  if (secret.state === 'ours' && secret.takeover?.from === 'Adopted') return verifies ? 'adopted' : 'nothing';
  const inForce = hostInForce(token.status ?? {}, wanted);
  const host = secret.state === 'ours' ? (secret.host ?? inForce) : inForce;
  const held = heldRecord(situation);
  // What may have come of a request that was given up can be of any place.
  if (mayBeLost(situation) && host !== wanted.host) return 'token';
  const hidden = hiddenRecord(situation);
  if (hidden) return isOfWantedPlace(hidden, wanted) && host !== wanted.host ? 'host' : 'nothing';
  if (!held) return 'nothing';
  // With a host that nothing names: the status could not be written, and the account names another by now.
  if (secret.state === 'ours' && secret.host === undefined && !token.status?.token) return 'token';
  // Who asks for another region where nobody can try it knows what for; what administrators do behind a region, or by another
  // default, they don't.
  const isAsked =
    held.account !== wanted.account || (held.region !== wanted.region && spec.region !== undefined);
  if (isAsked && !verifies) return 'nothing';
  if (!isOfWantedPlace(held, wanted)) return 'token';
  // What a token may do can take a while to be in effect, where none before it had it.
  const isSlow = wanted.settling.acceptance > MIN_ACCEPTANCE && held.specHash !== wanted.specHash;
  if (isSlow && verifies) return 'token';
  return host === wanted.host ? 'nothing' : 'host';
}

/** One API can issue for several regions, each token for its own. */
function isOfWantedPlace(
  { place, region }: Pick<MintIntent, 'place' | 'region'>,
  wanted: Situation['wanted'],
): boolean {
  return wanted.place !== undefined && isSamePlace(place, wanted.place) && region === wanted.region;
}

/**
 * Whether the Secret holds a token that no record names and that may have come of a request that was given up: it was written there,
 * and the status could not be. It is taken to live as long as the one in force.
 */
function mayBeLost(situation: Situation): boolean {
  const { secret, token } = situation;
  const { lostIntents = [], previousTokens = [], token: record } = token.status ?? {};
  if (secret.state !== 'ours' || secret.holds === undefined || lostIntents.length === 0) return false;
  const isRecorded = [record, ...previousTokens].some((each) => each?.id === secret.holds);
  return !isRecorded && !isExpired(situation);
}

/**
 * What is known of the token that the Secret holds, if pods can pull with it: the token in force, a previous one, or what the open
 * intent gave, where the Secret was written and the status could not be.
 */
function heldRecord(
  situation: Situation,
): (Pick<MintIntent, 'account' | 'region' | 'place'> & { specHash?: string }) | undefined {
  const { secret, token, registryNow } = situation;
  const { token: record, previousTokens = [], mintIntent } = token.status ?? {};
  if (secret.state !== 'ours' || secret.holds === undefined) return undefined;
  if (secret.holds === record?.id) return isGood(situation) ? record : undefined;
  const previous = previousTokens.find(({ id }) => id === secret.holds);
  if (previous) return expiryOf(previous) > registryNow ? previous : undefined;
  return mintIntent;
}

/** The token in force, where nobody can tell what the Secret holds, since somebody took the token's name off it: it may be that one. */
function hiddenRecord(situation: Situation): Pick<MintIntent, 'place' | 'region'> | undefined {
  const { secret, token, tokenIsGone } = situation;
  const isUnnamed = secret.state === 'ours' && secret.holds === undefined;
  return isUnnamed && !tokenIsGone && !isExpired(situation) ? token.status?.token : undefined;
}

/** What an intent says of its new token that an earlier process tried: that it was refused, and waited for. */
export function recordedRefusal({ phase }: Pick<MintIntent, 'phase'>): Waiting | undefined {
  if (phase !== 'Verifying') return undefined;
  const refusal = 'it refused it before the operator was restarted';
  return { action: 'wait', refusal, message: refusal, until: 0 };
}
