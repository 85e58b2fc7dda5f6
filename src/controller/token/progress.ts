import type { RegistryToken, RegistryTokenStatus, TokenSpec } from '../../api/registry-token.ts';
import type { Clock } from '../../common/clock.ts';
import type { Wanted } from '../../token/decide/eligibility.ts';
import { rotateValue } from '../../token/decide/rotate-now.ts';
import { hostInForce } from '../../token/decide/situation.ts';
import type { Stake, Waiting } from '../../token/decide/verification.ts';
import type { Outcome } from '../../token/lifecycle/conditions.ts';
import { untilItAnswers, withFailure, type Failure } from '../../token/lifecycle/failure.ts';
import { withPhase } from '../../token/lifecycle/mint-steps.ts';
import { pendingMessage, withPendingHost, type PendingHost } from '../../token/lifecycle/pending-host.ts';
import { holds } from '../../token/lifecycle/secret-found.ts';
import type { SecretView } from '../../token/secret/secret-view.ts';

/** What a reconcile works on. */
export interface Task {
  /** As stored. */
  token: RegistryToken;
  /** Its status so far: as stored, or as this reconcile has changed it. */
  status: RegistryTokenStatus;
  spec: TokenSpec;
  wanted: Wanted;
  secret: SecretView;
  /** As of a `Situation`. */
  tokenIsGone: boolean;
  /** What pods would lose by a new token that is no good. */
  stake: Stake;
}

/** A RegistryToken in the middle of a reconcile: as last read or written, and its status as it is to become. */
export interface Progress {
  token: RegistryToken;
  status: RegistryTokenStatus;
  outcome: Outcome;
  /** Whether the Secret holds the token of `status`, and the registry still has that, as far as is known. */
  secretHolds: boolean;
  /** When to look again at the latest, milliseconds since 1970. */
  until?: number | undefined;
  /** Whether it waits for a place that is down, and so goes on when that answers. */
  awaitsPlace?: boolean;
}

/** As `secretHolds` of a `Progress`. @param status so far, with the token in force that the task has */
export function holdsLive({ secret, tokenIsGone }: Task, status: RegistryTokenStatus): boolean {
  return !tokenIsGone && holds(secret, status);
}

/** Nothing is left to do. */
export function done(token: RegistryToken, status: RegistryTokenStatus): Progress {
  return { token, status, outcome: { kind: 'done' }, secretHolds: true };
}

/** The host that the account names is not to be in the Secret yet. @param status so far. @param until when to try it again */
export function waitingForHost(
  task: Task,
  status: RegistryTokenStatus,
  pending: Omit<PendingHost, 'since'>,
  until: number,
  clock: Pick<Clock, 'now'>,
): Progress {
  const next = withPendingHost(status, pending, clock.now());
  const message = pendingMessage(next.pendingHost);
  const outcome = { kind: 'held', reason: 'HostNotAccepted', message } as const;
  return { token: task.token, status: next, outcome, secretHolds: holdsLive(task, status), until };
}

/** The host that the Secret has. It can be ahead of the status, whose write may have failed. */
export function hostHeld({ secret, status, wanted }: Task): string {
  const held = secret.state === 'ours' ? secret.host : undefined;
  return held ?? hostInForce(status, wanted);
}

/** A new token that the registry does not accept yet, or that is not known to be accepted where it has to be. */
export function waitingForAcceptance(
  task: Task,
  { refusal, until, message: why }: Waiting,
  clock: Pick<Clock, 'now'>,
): Progress {
  const { token, status, wanted, stake } = task;
  const secretHolds = holdsLive(task, status);
  if (refusal !== undefined) {
    const message = `the registry does not accept the new token yet: ${why}; will retry`;
    const outcome = { kind: 'held', reason: 'Verifying', message } as const;
    return { token, status: withPhase(status, 'Verifying'), outcome, secretHolds, until };
  }
  if (stake !== 'adopted' && hostHeld(task) !== wanted.host) {
    const pending = { host: wanted.host, refused: false, message: why };
    return waitingForHost(task, status, pending, until, clock);
  }
  const advice = "let the operator reach the registry's host";
  const message =
    stake === 'adopted'
      ? `${why}; ${advice}, or set spec.verify of the account to Never`
      : `the token in the Secret stays until the registry is known to accept the new one: ${why}; ${advice}`;
  const outcome = { kind: 'held', reason: 'RegistryUnavailable', message } as const;
  return { token, status, outcome, secretHolds, until };
}

/**
 * What did not work ends this reconcile, and is tried again later. What was not even sent is no failure of this RegistryToken's: it
 * is held, and counts for nothing.
 * @param status so far
 */
export function failed(
  task: Task,
  status: RegistryTokenStatus,
  failure: Failure,
  { clock, random }: { clock: Clock; random: () => number },
): Progress {
  const { token } = task;
  const secretHolds = holdsLive(task, status);
  const { reason, message, unsent = false, retryAfter = 0 } = failure;
  if (unsent) {
    const told = reason === 'RegistryUnavailable' ? untilItAnswers(message) : message;
    const outcome: Outcome = { kind: 'held', reason, message: told };
    return { token, status, outcome, secretHolds, until: clock.now() + retryAfter };
  }
  return {
    token,
    status: withFailure(status, failure, clock.now(), random(), rotateValue(token)),
    outcome: { kind: 'failed', failure },
    secretHolds,
  };
}
