import type { RegistryToken, RegistryTokenStatus, TokenSpec } from '../../api/registry-token.ts';
import { fromTime } from '../../api/syntax/time.ts';
import type { Moment } from './clock-skew.ts';
import type { Outcome } from './conditions.ts';
import { expiryOf, rotationTime } from './schedule.ts';
import { revocationTime } from './previous-tokens.ts';

/** Two steps of one RegistryToken that follow from the clock alone are at least this far apart. */
const MIN_PAUSE = 1_000;

/**
 * When to look at a RegistryToken again, if nothing calls for it earlier. What is already past and was not acted on now
 * is held back by something else, and does not count: looking again at once would find the same. Not so what came due while
 * the reconcile went on, since slow answers and revocations take their time: then nobody else would ever look again.
 * @param until when what held it back in this reconcile ends
 * @returns milliseconds from now, at least a second unless a revocation is due; undefined: not by the clock
 */
export function nextLook(
  token: RegistryToken,
  spec: TokenSpec | undefined,
  status: RegistryTokenStatus,
  outcome: Outcome,
  until: number | undefined,
  { now, registryNow }: Moment,
): number | undefined {
  const { token: record, previousTokens = [] } = status;
  const rotation = spec && record && rotationTime(record, spec.rotation, token.metadata.uid);
  const untilRotation = rotation === undefined ? undefined : rotation - registryNow;
  const untilExpiry = record && expiryOf(record) - registryNow;
  const retry = fromTime(status.nextRetryTime);
  const untilRetry = retry === undefined ? undefined : retry - now;
  const ahead = [untilRotation, untilRetry, untilExpiry].filter((wait) => (wait ?? 0) > 0);
  const set = [
    until === undefined ? undefined : until - now,
    outcome.kind === 'failed' ? untilRetry : undefined,
    outcome.kind === 'done' ? untilRotation : undefined,
  ];
  const steps = [...ahead, ...set].flatMap((wait) => (wait === undefined ? [] : [Math.max(wait, MIN_PAUSE)]));
  const suspended = outcome.kind === 'held' && outcome.reason === 'Suspended';
  const revocations = suspended ? [] : previousTokens.map((each) => Math.max(0, revocationTime(each) - now));
  const soonest = Math.min(...steps, ...revocations);
  return soonest === Infinity ? undefined : soonest;
}
