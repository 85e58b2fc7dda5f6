import { FINALIZER, TOKEN_ID_ANNOTATION } from '../../api/names.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import type { ObjectMeta } from '../../common/objects.ts';
import { specHashesOf } from '../lifecycle/status.ts';

/** What a RegistryToken that is here knows of its own requests. */
type Requests = Pick<NonNullable<RegistryToken['status']>, 'mintIntent' | 'lostIntents'> & {
  /** Identifiers of the tokens in its status. */
  ids: ReadonlySet<string>;
  /** What those were made for, and the one that may come. */
  specHashes: ReadonlySet<string>;
};

/** Everything in the cluster that uses, or may be about to use, a token. */
export interface Users {
  /** Identifiers of tokens that something holds or still has to revoke by itself. */
  ids: ReadonlySet<string>;
  /** Uids of the RegistryTokens that can be spoken for; undefined: all, since the whole cluster is in view. */
  known: ReadonlySet<string> | undefined;
  /** The RegistryTokens that the operator still has in hand, by uid. */
  inHand: ReadonlyMap<string, Requests>;
}

/** What the users of tokens are read from. */
export interface Cluster {
  tokens: Iterable<Pick<RegistryToken, 'metadata' | 'status'>>;
  secrets: Iterable<{ metadata: ObjectMeta }>;
  /** Identifiers of tokens kept on purpose. */
  retained: Iterable<string>;
  /** As in `Users`. */
  known: ReadonlySet<string> | undefined;
}

/**
 * What uses tokens: statuses of RegistryTokens, whatever they say of them, until the operator has let go of them; Secrets,
 * by the identifier in their annotation, whether or not their RegistryToken still exists; and what was kept on purpose.
 */
export function usersOf({ tokens, secrets, retained, known }: Cluster): Users {
  const ids = new Set(retained);
  const inHand = new Map<string, Requests>();
  for (const { metadata, status } of tokens) {
    if (isLetGo(metadata)) continue;
    const { token, previousTokens = [], mintIntent, lostIntents } = status ?? {};
    const own = new Set([token, ...previousTokens].flatMap((record) => record?.id ?? []));
    for (const id of own) ids.add(id);
    inHand.set(metadata.uid, {
      ids: own,
      specHashes: specHashesOf(status ?? {}),
      ...(mintIntent && { mintIntent }),
      ...(lostIntents && { lostIntents }),
    });
  }
  for (const { metadata } of secrets) {
    const id = metadata.annotations?.[TOKEN_ID_ANNOTATION];
    if (id !== undefined) ids.add(id);
  }
  return { ids, known, inHand };
}

/** Deleted, and done with as far as the operator is concerned: whoever else holds it up, its tokens serve nobody. */
function isLetGo({ deletionTimestamp, finalizers = [] }: ObjectMeta): boolean {
  return deletionTimestamp !== undefined && !finalizers.includes(FINALIZER);
}
