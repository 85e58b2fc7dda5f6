import type { RegistryToken, RegistryTokenStatus, TokenSpec } from '../../api/registry-token.ts';
import type { MintReason } from './decision.ts';
import type { Wanted } from './eligibility.ts';
import type { Moment } from '../lifecycle/clock-skew.ts';
import { expiryOf } from '../lifecycle/schedule.ts';
import { holds } from '../lifecycle/secret-found.ts';
import type { SecretView } from '../secret/secret-view.ts';

/** How a place at a registry is doing, as far as this process has seen. Times in milliseconds since 1970. */
export interface PlaceState {
  /** Why nothing is sent there at present. */
  outage:
    | {
        /** Down: it gave no answer. Paused: it asked to wait. */
        kind: 'Down' | 'Paused';
        message: string;
        /** When it is to be asked again. */
        retryAt: number;
        /** Whether it is being asked now. */
        isTried: boolean;
      }
    | undefined;
  /** When it answered again after its last outage. */
  backAt: number | undefined;
}

/** Everything a decision is made from. Times in milliseconds since 1970. */
export interface Situation extends Moment {
  token: RegistryToken;
  spec: TokenSpec;
  wanted: Wanted;
  secret: SecretView;
  /** Name of an older RegistryToken in the namespace that wants the same Secret. */
  olderClaimant: string | undefined;
  /** Whether the account's credentials have been read since the operator started. */
  accountIsKnown: boolean;
  /** Why the account can't mint at present; undefined when it can. */
  accountProblem: string | undefined;
  /** When the account or its credentials last changed, as far as this process saw. */
  accountChangedAt: number | undefined;
  /** The place where the token is wanted. */
  place: PlaceState;
  /** The place where the open mint was begun is gone for good; see `isStranded`. */
  intentIsStranded: boolean;
  /** The registry says that the recorded token is gone, or nobody has its value. */
  tokenIsGone: boolean;
  /** Whether the Secret can be written with the recorded token without asking the registry for its value. */
  valueIsKnown: boolean;
  /** Mints allowed in an hour. */
  mintBudget: number;
  /** Whether the account's tokens are tried at the registry where there is no need to. */
  verifies: boolean;
  /** Not before this is the host tried again that the account names now. */
  hostTryAt: number | undefined;
  /** Not before this is the Secret written again, because somebody else keeps changing it. */
  contestedUntil: number | undefined;
}

/** One reason to do, or not to do, something: what it says of a situation, or undefined when it does not apply. */
export type Policy<T> = (situation: Situation) => T | undefined;

/** What the first policy that applies says. */
export function first<T>(policies: readonly Policy<T>[], situation: Situation): T | undefined {
  for (const policy of policies) {
    const verdict = policy(situation);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

/** Whether the token in force has expired, by the registry's clock. */
export function isExpired({
  token: { status },
  registryNow,
}: Pick<Situation, 'token' | 'registryNow'>): boolean {
  return status?.token !== undefined && expiryOf(status.token) <= registryNow;
}

const LOST: MintReason = 'TokenLost';

/** Whether pods can pull with the Secret as it is: it holds the recorded token, which is alive. */
export function isGood(situation: Situation): boolean {
  return holds(situation.secret, situation.token.status ?? {}) && isAlive(situation);
}

/**
 * Whether pods could pull with the Secret up to now: with the token that was recorded, or with another that took its place in the
 * Secret, where the status could not be written.
 * @param outcome the status that a reconcile came to, before anything is revoked: it knows that other token, also where that is not
 * wanted any more
 */
export function wasGood(situation: Situation, outcome: RegistryTokenStatus): boolean {
  if (isGood(situation)) return true;
  const { secret, token, registryNow } = situation;
  const { mintIntent, previousTokens = [] } = token.status ?? {};
  // A lost token looks alive again once the Secret has another: only the request for that one tells.
  const wasLost = mintIntent?.reason === LOST;
  if (secret.state !== 'ours' || wasLost || !isAlive(situation)) return false;
  const known = [outcome.token, ...(outcome.previousTokens ?? []), ...previousTokens];
  const held = known.find((each) => each !== undefined && each.id === secret.holds);
  return held !== undefined && expiryOf(held) > registryNow;
}

/** Whether the recorded token is there and can be used. */
function isAlive(situation: Situation): boolean {
  return situation.token.status?.token !== undefined && !situation.tokenIsGone && !isExpired(situation);
}

/** The host that goes with the token in force: what the Secret was written with last, whatever the account names now. */
export function hostInForce(status: RegistryTokenStatus, { host }: Pick<Wanted, 'host'>): string {
  return (status.token && status.host) ?? host;
}
