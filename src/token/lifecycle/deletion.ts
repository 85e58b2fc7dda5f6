import { FINALIZER } from '../../api/names.ts';
import type { MintIntent, PreviousToken, RegistryToken } from '../../api/registry-token.ts';
import { surelyExpiredAt } from './schedule.ts';

/** What is to go with a RegistryToken that is being deleted. */
export interface DeletionPlan {
  deleteSecret: boolean;
  /** Recorded tokens to revoke, each where it was made. */
  revoke: Pick<PreviousToken, 'id' | 'account' | 'region' | 'place' | 'scope' | 'issuedAt'>[];
  /** Identifiers of the tokens that stay. */
  retain: readonly string[];
  /** A mint was begun whose result is unknown: what came of it is to be revoked too. */
  search: MintIntent | undefined;
}

/**
 * Reads the policy from the spec as it stands: it counts even where the rest of the spec is invalid. With Retain the
 * token in the Secret stays, but not the previous ones, which nothing uses any more. There are two Secrets, and can be two
 * tokens, where one of another name was to take the place of the first.
 * @param now what surely expired is gone by itself; milliseconds since 1970
 * @param held identifiers of the tokens in those of its Secrets that can outlive it: after a crash there can be one that the status does not yet name
 */
export function planDeletion(
  { spec, status = {} }: RegistryToken,
  now: number,
  held: readonly string[] = [],
): DeletionPlan {
  const retained = spec.deletionPolicy === 'Retain';
  const { token, previousTokens = [], mintIntent } = status;
  const current = token ? [token] : [];
  const inUse = held.length > 0 ? held : current.map(({ id }) => id);
  // What can't be revoked ends by itself.
  const ending = token?.revocable === false ? token.id : undefined;
  const retain = retained ? inUse.filter((id) => id !== ending) : [];
  const revoke = [...current, ...previousTokens].filter(({ id }) => id !== ending && !retain.includes(id));
  // What came of it was of no use, and is on record or gone.
  const isKnown =
    mintIntent?.phase === 'Discarded' ||
    previousTokens.some(({ revision }) => revision === mintIntent?.revision);
  return {
    deleteSecret: !retained,
    revoke: revoke.filter((record) => surelyExpiredAt(record) > now),
    retain,
    search: isKnown ? undefined : mintIntent,
  };
}

/**
 * Whether nothing would hold a RegistryToken back on deletion although it has, or may have, tokens to revoke: its finalizer
 * was taken off. Kubernetes takes none on an object that is being deleted.
 */
export function lacksFinalizer({ metadata, status = {} }: RegistryToken): boolean {
  const { deletionTimestamp, finalizers = [] } = metadata;
  if (deletionTimestamp !== undefined || finalizers.includes(FINALIZER)) return false;
  const { token, previousTokens = [], mintIntent } = status;
  return token !== undefined || previousTokens.length > 0 || mintIntent !== undefined;
}
