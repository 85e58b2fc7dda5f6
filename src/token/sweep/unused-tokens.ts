import type { Place } from '../../api/registry-token.ts';
import { cameOf, type Tag, type TaggedToken } from './tag.ts';
import { isUsed, type Users } from './users.ts';

/** A token at a registry that nothing in the cluster uses. */
export interface Orphan {
  id: string;
  tag: Tag;
  /** What left it: a request that its RegistryToken, which is here, gave up; or a RegistryToken that is here no more. */
  origin: 'lost request' | 'gone RegistryToken';
}

/** A token that another cluster made with this one's ids, or this one before its status was lost. */
export type UnknownToken = Pick<TaggedToken, 'id' | 'tag'>;

/** Milliseconds for which a token that expired is left to the registry: most of them drop it by themselves. */
const EXPIRED_REST = 3_600_000;

/**
 * What of a complete list is this cluster's by its tag and used by nothing. What expired is gone by itself or, where the registry
 * keeps it, to be deleted there: whoever made it, it is dead.
 * @param place where it was listed
 * @param now by the registry's clock, milliseconds since 1970
 */
export function findUnused(
  tokens: Iterable<TaggedToken>,
  users: Users,
  { clusterId, place, now }: { clusterId: string; place: Place; now: number },
): { orphans: Orphan[]; unknown: UnknownToken[]; expired: UnknownToken[] } {
  const orphans: Orphan[] = [];
  const unknown: UnknownToken[] = [];
  const expired: UnknownToken[] = [];
  for (const { id, tag, expiresAt } of tokens) {
    if (tag.clusterId !== clusterId) continue;
    const end = expiresAt ?? Infinity;
    if (end <= now - EXPIRED_REST && !isUsed({ id, tag }, place, users)) expired.push({ id, tag });
    if (end <= now) continue;
    const standing = standingOf({ id, tag }, place, users);
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
  token: Pick<TaggedToken, 'id' | 'tag'>,
  place: Place,
  users: Users,
): 'used' | 'unknown' | Orphan['origin'] {
  const { tag } = token;
  const { known, inHand } = users;
  if (isUsed(token, place, users) || (known && !known.has(tag.uid))) return 'used';
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
