import { FINALIZER } from '../../api/names.ts';
import type {
  MintIntent,
  PreviousToken,
  RegistryToken,
  RegistryTokenStatus,
} from '../../api/registry-token.ts';
import { includesToken } from './place.ts';
import { surelyExpiredAt } from './schedule.ts';
import { strayOf } from './token-record.ts';

type Recorded = Pick<PreviousToken, 'id' | 'account' | 'region' | 'place' | 'scope' | 'issuedAt'>;

/** What stays in a Secret, which tells a token's identifier and no more. */
export interface Retained {
  id: string;
  /** The tokens that this can be: none where nothing is known of one, and two where registries gave the same identifier. */
  tokens: readonly Recorded[];
}

/** What is to go with a RegistryToken that is being deleted. */
export interface DeletionPlan {
  deleteSecret: boolean;
  /** Recorded tokens to revoke, each where it was made. */
  revoke: Recorded[];
  retain: readonly Retained[];
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
  const { token, previousTokens = [], mintIntent } = status;
  const current = token ? [token] : [];
  // What came of it was of no use, and is on record or gone.
  const isKnown =
    mintIntent?.phase === 'Discarded' ||
    previousTokens.some(({ revision }) => revision === mintIntent?.revision);
  const search = isKnown ? undefined : mintIntent;
  const inUse = held.length > 0 ? held : current.map(({ id }) => id);
  const retain = spec.deletionPolicy === 'Retain' ? inUse.map((id) => retained(id, status, search)) : [];
  const kept = retain.flatMap(({ tokens }) => tokens);
  const revoke = [...current, ...previousTokens].filter(
    (record) => !endsByItself(record) && !includesToken(kept, record),
  );
  return {
    deleteSecret: spec.deletionPolicy !== 'Retain',
    revoke: revoke.filter((record) => surelyExpiredAt(record) > now),
    retain: retain.filter(({ tokens }) => tokens.length === 0 || !tokens.every(endsByItself)),
    search,
  };
}

/**
 * What a Secret of a RegistryToken can mean by an identifier. A previous token gave way to one of the same identifier in the Secret
 * before the status said so; what comes of an open intent may be there already.
 */
function retained(
  id: string,
  { token, previousTokens = [] }: RegistryTokenStatus,
  search: MintIntent | undefined,
): Retained {
  const recorded: Recorded[] = token?.id === id ? [token] : previousTokens.filter((each) => each.id === id);
  const coming = search ? [strayOf(search, { id })] : [];
  return { id, tokens: [...recorded, ...coming.filter((each) => !includesToken(recorded, each))] };
}

/** What can't be revoked ends by itself. */
function endsByItself(record: Recorded & { revocable?: boolean }): boolean {
  return record.revocable === false;
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
