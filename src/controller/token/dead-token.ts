import type { RegistryToken } from '../../api/registry-token.ts';
import { isRetryRequested } from '../../token/decide/rotate-now.ts';
import { isGood } from '../../token/decide/situation.ts';
import { conditionsOf } from '../../token/lifecycle/conditions.ts';
import { holds } from '../../token/lifecycle/secret-found.ts';
import type { Assessment } from './assessor.ts';
import type { Memory } from './memory.ts';
import type { StatusWriter } from './status-writer.ts';

export interface DeadTokenOptions {
  memory: Pick<Memory, 'isToldDead' | 'noteToldDead'>;
  statuses: Pick<StatusWriter, 'write'>;
}

/**
 * Says that pods can't pull with a Secret, before another token is issued for it: many may be ahead in the queue, as when all
 * expired while the operator did not run. At most once for each token, so that no status that comes out otherwise than it was
 * written can keep a RegistryToken from its token. What was just changed or asked for does not wait for this.
 * @returns whether that changed the status
 * @throws KubeError
 */
export async function tellDead(
  token: RegistryToken,
  assessment: Assessment,
  { memory, statuses }: DeadTokenOptions,
  signal: AbortSignal,
): Promise<boolean> {
  if (assessment.refusal || assessment.decision.action !== 'mint') return false;
  const { status, metadata } = token;
  const { situation, secret, spec, wanted, decision } = assessment;
  if (!status?.token || isGood(situation)) return false;
  if (status.observedGeneration !== metadata.generation || isRetryRequested(token)) return false;
  if (memory.isToldDead(metadata.uid, status.token)) return false;
  const secretHolds = holds(secret, status) && !situation.tokenIsGone;
  const outcome = { kind: 'held', reason: 'Rotating', message: decision.message } as const;
  const { now, registryNow } = situation;
  const updates = conditionsOf({ status, spec, wanted, secretHolds, outcome, now, registryNow });
  const written = await statuses.write(token, status, updates, signal);
  memory.noteToldDead(metadata.uid, status.token);
  return written !== token;
}
