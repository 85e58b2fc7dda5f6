import type { PreviousToken, RegistryToken } from '../api/registry-token.ts';
import { surelyExpiredAt } from './schedule.ts';

/** What is to go with a RegistryToken that is being deleted. */
export interface DeletionPlan {
  deleteSecret: boolean;
  /** Recorded tokens to revoke, each where it was made. */
  revoke: Pick<PreviousToken, 'id' | 'account' | 'region'>[];
  /** Identifier of the token that stays. */
  retain: string | undefined;
  /** A mint was begun whose result is unknown: what carries our tag there is to be revoked too. */
  search: { account: string; region: string } | undefined;
}

/**
 * Reads the policies from the spec as it stands: they count even where the rest of the spec is invalid. With Retain the
 * token in the Secret stays, but not its predecessors, which nothing uses any more.
 * @param now what surely expired is gone by itself; milliseconds since 1970
 * @param held identifier of the token in the Secret, where it is known: after a crash it can be one the status does not yet name
 */
export function planDeletion({ spec, status = {} }: RegistryToken, now: number, held?: string): DeletionPlan {
  const retained = spec.deletionPolicy === 'Retain';
  const { token, previousTokens = [], mintIntent } = status;
  const retain = retained ? (held ?? token?.id) : undefined;
  const revoke = [...(token ? [token] : []), ...previousTokens].filter(({ id }) => id !== retain);
  return {
    deleteSecret: !retained && spec.secret?.deletionPolicy !== 'Retain',
    revoke: revoke.filter((record) => surelyExpiredAt(record) > now),
    retain,
    search: mintIntent && { account: mintIntent.account, region: mintIntent.region },
  };
}
