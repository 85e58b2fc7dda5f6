import type { Task } from '../../src/controller/progress.ts';
import { aSituation } from './builders.ts';

/** What a reconcile works on in a situation. */
export function situationTask(situation: Parameters<typeof aSituation>[0] = {}): Task {
  const { token, spec, wanted, secret, tokenIsGone } = aSituation(situation);
  return { token, status: token.status ?? {}, spec, wanted, secret, tokenIsGone };
}
