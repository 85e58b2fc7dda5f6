import { FINALIZER, OWNER_UID_LABEL, TOKEN_ID_ANNOTATION } from '../../api/names.ts';
import type { Place, RegistryToken } from '../../api/registry-token.ts';
import type { ObjectMeta } from '../../common/objects.ts';
import { isSamePlace } from '../lifecycle/place.ts';
import { specHashesOf } from '../lifecycle/previous-tokens.ts';
import type { RetainedToken } from './retained.ts';
import type { TaggedToken } from './tag.ts';

/** Which token of an identifier is in use: another registry can have given the same. */
type Use =
  /** Nothing says which. */
  | 'any'
  /** The one at that place, or the one that was issued for a RegistryToken of that uid, with that revision if one is given. */
  | { place?: Place; uid: string; revision?: number };

/** What a RegistryToken that is here knows of its own requests. */
type Requests = Pick<NonNullable<RegistryToken['status']>, 'mintIntent' | 'lostIntents'> & {
  /** Identifiers of the tokens in its status. */
  ids: ReadonlySet<string>;
  /** What those were made for, and the one that may come. */
  specHashes: ReadonlySet<string>;
};

/** Everything in the cluster that uses, or may be about to use, a token. */
export interface Users {
  /** Tokens that something holds or still has to revoke by itself, by identifier. */
  inUse: ReadonlyMap<string, readonly Use[]>;
  /** Uids of the RegistryTokens that can be spoken for; undefined: all, since the whole cluster is in view. */
  known: ReadonlySet<string> | undefined;
  /** The RegistryTokens that the operator still has in hand, by uid. */
  inHand: ReadonlyMap<string, Requests>;
}

/** What the users of tokens are read from. */
export interface Cluster {
  tokens: Iterable<Pick<RegistryToken, 'metadata' | 'status'>>;
  secrets: Iterable<{ metadata: ObjectMeta }>;
  /** Tokens kept on purpose. */
  retained: Iterable<Pick<RetainedToken, 'id' | 'place' | 'uid'>>;
  /** As in `Users`. */
  known: ReadonlySet<string> | undefined;
}

/**
 * What uses tokens: statuses of RegistryTokens, whatever they say of them, until the operator has let go of them; Secrets,
 * by the identifier in their annotation, whether or not their RegistryToken still exists; and what was kept on purpose.
 */
export function usersOf({ tokens, secrets, retained, known }: Cluster): Users {
  const inUse = new Map<string, Use[]>();
  const note = (id: string, use: Use): void => {
    const uses = inUse.get(id);
    if (uses) uses.push(use);
    else inUse.set(id, [use]);
  };
  const inHand = new Map<string, Requests>();
  for (const { metadata, status } of tokens) {
    if (isLetGo(metadata)) continue;
    const { uid } = metadata;
    const { token, previousTokens = [], mintIntent, lostIntents } = status ?? {};
    const records = token ? [token, ...previousTokens] : previousTokens;
    for (const { id, place, revision } of records) note(id, { place, uid, revision });
    inHand.set(uid, {
      ids: new Set(records.map(({ id }) => id)),
      specHashes: specHashesOf(status ?? {}),
      ...(mintIntent && { mintIntent }),
      ...(lostIntents && { lostIntents }),
    });
  }
  // An entry of an earlier release does not say whose it was.
  for (const { id, place, uid } of retained) note(id, uid === undefined ? 'any' : { place, uid });
  for (const { metadata } of secrets) {
    const id = metadata.annotations?.[TOKEN_ID_ANNOTATION];
    const owner = metadata.labels?.[OWNER_UID_LABEL] ?? '';
    // A Secret says no place. Where the status of its RegistryToken names the token, that does.
    if (id !== undefined) note(id, inHand.get(owner)?.ids.has(id) ? { uid: owner } : 'any');
  }
  return { inUse, known, inHand };
}

/**
 * Whether something uses a token at that place. An endpoint can have got another name since: by RegistryToken and revision a token is
 * known wherever it is.
 */
export function isUsed({ id, tag }: Pick<TaggedToken, 'id' | 'tag'>, at: Place, { inUse }: Users): boolean {
  const isMeant = (use: Use): boolean => {
    if (use === 'any' || (use.place && isSamePlace(use.place, at))) return true;
    return use.uid === tag.uid && (use.revision ?? tag.revision) === tag.revision;
  };
  return inUse.get(id)?.some(isMeant) ?? false;
}

/** Deleted, and done with as far as the operator is concerned: whoever else holds it up, its tokens serve nobody. */
function isLetGo({ deletionTimestamp, finalizers = [] }: ObjectMeta): boolean {
  return deletionTimestamp !== undefined && !finalizers.includes(FINALIZER);
}
