import type { ConditionUpdate } from '../../api/conditions.ts';
import { isProgressing, isStalled, type Reason } from '../../api/reasons.ts';
import type { RegistryTokenStatus, TokenSpec } from '../../api/registry-token.ts';
import { fromTime } from '../../api/syntax/time.ts';
import { skewRemark, type Moment } from './clock-skew.ts';
import type { Refusal, Wanted } from '../decide/eligibility.ts';
import { withRetryTime, type Failure } from './failure.ts';
import { pendingMessage } from './pending-host.ts';
import { expiryOf } from './schedule.ts';

/** How a reconcile ended: what stands in the way, if anything. */
export type Outcome =
  | { kind: 'done' }
  /** The spec, or the account, does not allow what is asked. */
  | { kind: 'refused'; refusal: Refusal }
  /** Something is to be done later. */
  | { kind: 'held'; reason: Reason; message: string }
  | { kind: 'failed'; failure: Failure };

interface Facts extends Moment {
  status: RegistryTokenStatus;
  spec: TokenSpec | undefined;
  /** undefined where it was refused. */
  wanted: Wanted | undefined;
  /** The Secret is there and holds the recorded token. */
  secretHolds: boolean;
  outcome: Outcome;
  /** What else there is to say of a RegistryToken that is ready. */
  remarks?: readonly string[];
}

/**
 * The conditions of a RegistryToken. Ready tells whether the Secret holds a live token as wanted, whatever else is the
 * matter; Reconciling and Stalled tell what is.
 */
export function conditionsOf(facts: Facts): ConditionUpdate[] {
  const obstacle = obstacleOf(facts);
  const updates = [ready(facts, obstacle)];
  if (obstacle && obstacle.reason !== 'Suspended') {
    const { reason, message } = obstacle;
    updates.push({ type: isStalled(reason) ? 'Stalled' : 'Reconciling', status: 'True', reason, message });
  }
  const pending = revocationPending(facts.status);
  if (pending) updates.push(pending);
  return updates;
}

interface Obstacle {
  reason: Reason;
  message: string;
}

/** What a try failed at stays the obstacle while it is tried again: it is not over before that succeeds. */
function obstacleOf({ outcome, status }: Facts): Obstacle | undefined {
  switch (outcome.kind) {
    case 'done':
      return undefined;
    case 'refused':
      return outcome.refusal;
    case 'held': {
      const { lastFailure } = status;
      const { pendingHost } = status;
      // A rotation meanwhile does not end what keeps a host out of the Secret.
      if (pendingHost && status.reason === 'HostNotAccepted' && isProgressing(outcome.reason))
        return { reason: 'HostNotAccepted', message: pendingMessage(pendingHost) };
      const lasts = lastFailure && lastFailure.reason === status.reason && isSameTry(outcome, lastFailure);
      return lasts ? { reason: lastFailure.reason as Reason, message: lastFailure.message } : outcome;
    }
    case 'failed': {
      const { reason, message } = outcome.failure;
      const { nextRetryTime: time } = status;
      return { reason, message: time === undefined ? message : withRetryTime(message, time) };
    }
  }
}

/** Whether work under way has not got beyond where it failed last. A token to be tried at the registry has been created. */
function isSameTry({ reason }: { reason: Reason }, lastFailure: { reason: string }): boolean {
  return reason === 'Verifying' ? lastFailure.reason === 'TokenRefused' : isProgressing(reason);
}

function ready(facts: Facts, obstacle: Obstacle | undefined): ConditionUpdate {
  const { status, spec, wanted, secretHolds, registryNow, remarks = [] } = facts;
  const { token } = status;
  const refused = facts.outcome.kind === 'refused';
  const alive = token !== undefined && expiryOf(token) > registryNow;
  if (!refused && alive && secretHolds && (!wanted || token.specHash === wanted.specHash)) {
    const suspended = obstacle?.reason === 'Suspended';
    const skewed = skewRemark(facts);
    const unverified =
      token.unverified === undefined
        ? undefined
        : `whether the registry accepts it is not known: ${token.unverified}`;
    const remark = unverified ?? skewed;
    const until = token.expiresAt === undefined ? 'never expires' : `expires at ${token.expiresAt}`;
    const holding = `Secret ${spec?.secret.name ?? ''} holds a ${token.access} token for ${status.host ?? 'the registry'} that ${until}`;
    return {
      type: 'Ready',
      status: 'True',
      reason: suspended ? 'Suspended' : unverified ? 'Unverified' : skewed ? 'ClocksDiffer' : 'Issued',
      message: [remark ? `${holding}, but ${remark}` : holding, ...remarks].join('; '),
    };
  }
  const message = obstacle?.message ?? 'a token is being issued';
  const expired = token && !alive && obstacle?.reason !== 'TokenExpired';
  return {
    type: 'Ready',
    status: 'False',
    reason: obstacle?.reason ?? 'Issuing',
    message: expired ? `the token expired at ${token.expiresAt}; ${message}` : message,
  };
}

function revocationPending({ previousTokens = [] }: RegistryTokenStatus): ConditionUpdate | undefined {
  if (previousTokens.length === 0) return undefined;
  const failing = previousTokens.find(({ attempts }) => (attempts ?? 0) > 0);
  const count = previousTokens.length === 1 ? '1 earlier token' : `${previousTokens.length} earlier tokens`;
  if (failing) {
    return {
      type: 'RevocationPending',
      status: 'True',
      reason: 'RevocationFailed',
      message: `${count} to revoke; token ${failing.id}: ${failing.lastError ?? 'failed'}`,
    };
  }
  const times = previousTokens.map(({ revokeAt }) => revokeAt);
  const next = times.toSorted((a, b) => (fromTime(a) ?? 0) - (fromTime(b) ?? 0))[0];
  return {
    type: 'RevocationPending',
    status: 'True',
    reason: 'GracePeriod',
    message: `${count} to revoke, the next at ${next ?? 'once'}`,
  };
}
