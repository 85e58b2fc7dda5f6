import type { RegistryToken, RegistryTokenStatus, TokenSpec } from '../../api/registry-token.ts';
import { fromTime } from '../../api/syntax/time.ts';
import type { Outcome } from './conditions.ts';
import { expiryOf, rotationTime } from './schedule.ts';
import { revocationTime } from './previous-tokens.ts';

/** Two steps of one RegistryToken that follow from the clock alone are at least this far apart. */
const SHORTEST_PAUSE = 1_000;

/**
 * When to look at a RegistryToken again, if nothing calls for it earlier. What is already past and was not acted on now
 * is held back by something else, and does not count: looking again at once would find the same. Not so what came due while
 * the reconcile went on, since slow answers and revocations take their time: then nobody else would ever look again.
 * @param until when what held it back in this reconcile ends
 * @param skew how far the registry's clock, which counts for expiry, is ahead, in milliseconds
 * @returns milliseconds from `now`, at least a second unless a revocation is due; undefined: not by the clock
 */
export function nextLook(
  token: RegistryToken,
  spec: TokenSpec | undefined,
  status: RegistryTokenStatus,
  outcome: Outcome,
  until: number | undefined,
  now: number,
  skew = 0,
): number | undefined {
  const { token: record, previousTokens = [] } = status;
  const planned = spec && record && rotationTime(record, spec.rotation, token.metadata.uid);
  const rotation = planned === undefined ? undefined : planned - skew;
  const retry = fromTime(status.nextRetryTime);
  const times = [rotation, retry, record && expiryOf(record) - skew].filter((time) => (time ?? 0) > now);
  const set = [
    until,
    outcome.kind === 'failed' ? retry : undefined,
    outcome.kind === 'done' ? rotation : undefined,
  ];
  const steps = [...times, ...set].flatMap((time) =>
    time === undefined ? [] : [Math.max(time - now, SHORTEST_PAUSE)],
  );
  const suspended = outcome.kind === 'held' && outcome.reason === 'Suspended';
  const revocations = suspended ? [] : previousTokens.map((each) => Math.max(0, revocationTime(each) - now));
  const soonest = Math.min(...steps, ...revocations);
  return soonest === Infinity ? undefined : soonest;
}
