import type { Task } from '../../src/controller/token/progress.ts';
import { stakeOf } from '../../src/token/decide/verification.ts';
import { aSituation } from './builders.ts';

/** What a reconcile works on in a situation. */
export function situationTask(situation: Parameters<typeof aSituation>[0] = {}): Task {
  const all = aSituation(situation);
  const { token, spec, wanted, secret, tokenIsGone } = all;
  return { token, status: token.status ?? {}, spec, wanted, secret, tokenIsGone, stake: stakeOf(all) };
}
