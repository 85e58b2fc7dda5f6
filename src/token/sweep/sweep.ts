import { FINALIZER, TOKEN_ID_ANNOTATION } from '../../api/names.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import type { ObjectMeta } from '../../common/objects.ts';
import { specHashesOf } from '../lifecycle/status.ts';
import { cameOf, type Tag, type TaggedToken } from './tag.ts';

/** A token at a registry that nothing in the cluster uses. */
export interface Orphan {
  id: string;
  tag: Tag;
  /** What left it: a request that its RegistryToken, which is here, gave up; or a RegistryToken that is here no more. */
  origin: 'lost request' | 'gone RegistryToken';
}

/** A token that another cluster made with this one's ids, or this one before its status was lost. */
export type UnknownToken = Pick<TaggedToken, 'id' | 'tag'>;

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

/** Milliseconds for which a token that expired is left to the registry: most of them drop it by themselves. */
const EXPIRED_REST = 3_600_000;

/**
 * What of a complete list is this cluster's by its tag and used by nothing. What expired is gone by itself or, where the registry
 * keeps it, to be deleted there: whoever made it, it is dead.
 * @param now by the registry's clock, milliseconds since 1970
 */
export function findUnused(
  tokens: Iterable<TaggedToken>,
  users: Users,
  clusterId: string,
  now: number,
): { orphans: Orphan[]; unknown: UnknownToken[]; expired: UnknownToken[] } {
  const orphans: Orphan[] = [];
  const unknown: UnknownToken[] = [];
  const expired: UnknownToken[] = [];
  for (const { id, tag, expiresAt } of tokens) {
    if (tag.clusterId !== clusterId) continue;
    const end = expiresAt ?? Infinity;
    if (end <= now - EXPIRED_REST && !users.ids.has(id)) expired.push({ id, tag });
    if (end <= now) continue;
    const standing = standingOf({ id, tag }, users);
    if (standing === 'unknown') unknown.push({ id, tag });
    else if (standing !== 'used') orphans.push({ id, tag, origin: standing });
  }
  return { orphans, unknown, expired };
}

/**
 * Whose a token with this cluster's tag is. A RegistryToken that is here has its requests in its status. What came of none of them
 * was made by somebody else who works with this cluster's id and uids, such as a cluster restored from a backup of this one, or
 * by this cluster before its status was lost: it may be in use, so it is only reported.
 */
export function standingOf(
  { id, tag }: Pick<TaggedToken, 'id' | 'tag'>,
  { ids, known, inHand }: Users,
): 'used' | 'unknown' | Orphan['origin'] {
  if (ids.has(id) || (known && !known.has(tag.uid))) return 'used';
  const requests = inHand.get(tag.uid);
  if (!requests) return 'gone RegistryToken';
  const { mintIntent, lostIntents = [] } = requests;
  if (mintIntent && cameOf(tag, mintIntent)) return 'used';
  return lostIntents.some((lost) => cameOf(tag, lost)) ? 'lost request' : 'unknown';
}

/**
 * Whether an orphan may be revoked. Where somebody else works with this cluster's id, what is left of a RegistryToken that is gone
 * here can belong to the same RegistryToken there.
 * @param shared whether the account has tokens that are unknown here
 */
export function mayRevoke({ origin }: Pick<Orphan, 'origin'>, shared: boolean): boolean {
  return origin === 'lost request' || !shared;
}

/** What was seen, by identifier: when for the first time without a break, on a monotonic clock. */
export type Suspects = ReadonlyMap<string, number>;

/**
 * Takes in what one more list showed. It is certain when an earlier list, at least `delay` ago, showed it too, and every list
 * since. Between two looks a watch can lag, a list can be behind and a mint can be under way; not for that long.
 * @param now when the list was asked for, on a monotonic clock, milliseconds
 */
export function confirm<T extends { id: string }>(
  seen: readonly T[],
  before: Suspects,
  now: number,
  delay: number,
): { suspects: Suspects; certain: T[] } {
  const suspects = new Map(seen.map(({ id }) => [id, before.get(id) ?? now]));
  const certain = seen.filter(({ id }) => {
    const since = before.get(id);
    return since !== undefined && now - since >= delay;
  });
  return { suspects, certain };
}

/**
 * When the next of the suspects can be certain; undefined when none is left that is not.
 * @param askedAt when the last list was asked for, on a monotonic clock, milliseconds
 */
export function nextCertain(suspects: Suspects, askedAt: number, delay: number): number | undefined {
  const times = [...suspects.values()].map((since) => since + delay).filter((time) => time > askedAt);
  return times.length === 0 ? undefined : Math.min(...times);
}
