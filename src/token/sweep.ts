import { FINALIZER, TOKEN_ID_ANNOTATION } from '../api/names.ts';
import type { RegistryToken } from '../api/registry-token.ts';
import type { ObjectMeta } from '../common/objects.ts';
import { readTag, type Tag } from './tag.ts';

/** A row of a registry's list, as far as the sweep needs it. */
export interface Row {
  id: string;
  description: string;
  /** Milliseconds since 1970; null when it never expires or the registry does not say. */
  expiresAt: number | null;
  revoked: boolean;
}

/** A token at a registry that nothing in the cluster uses. */
export interface Orphan {
  id: string;
  tag: Tag;
}

/** Everything in the cluster that uses, or may be about to use, a token. */
export interface Users {
  /** Identifiers of tokens that something holds or still has to revoke by itself. */
  ids: ReadonlySet<string>;
  /** By the uid of a RegistryToken with a mint under way: the lowest revision that mint can have given. */
  underWay: ReadonlyMap<string, number>;
  /** Uids of the RegistryTokens that can be spoken for; undefined: all, since the whole cluster is in view. */
  known: ReadonlySet<string> | undefined;
  /** Uids of the RegistryTokens that the operator still has in hand. */
  inHand: ReadonlySet<string>;
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
  const underWay = new Map<string, number>();
  const inHand = new Set<string>();
  for (const { metadata, status } of tokens) {
    if (isLetGo(metadata)) continue;
    inHand.add(metadata.uid);
    if (status?.token) ids.add(status.token.id);
    for (const { id } of status?.previousTokens ?? []) ids.add(id);
    if (status?.mintIntent) underWay.set(metadata.uid, status.mintIntent.revision);
  }
  for (const { metadata } of secrets) {
    const id = metadata.annotations?.[TOKEN_ID_ANNOTATION];
    if (id !== undefined) ids.add(id);
  }
  return { ids, underWay, known, inHand };
}

/** Deleted, and done with as far as the operator is concerned: whoever else holds it up, its tokens serve nobody. */
function isLetGo({ deletionTimestamp, finalizers = [] }: ObjectMeta): boolean {
  return deletionTimestamp !== undefined && !finalizers.includes(FINALIZER);
}

/**
 * The tokens of a complete list that are this cluster's by their tag and that nothing uses. What expired is gone by
 * itself.
 * @param now by the registry's clock, milliseconds since 1970
 */
export function findOrphans(rows: Iterable<Row>, users: Users, clusterId: string, now: number): Orphan[] {
  const orphans: Orphan[] = [];
  for (const { id, description, expiresAt, revoked } of rows) {
    if (revoked || (expiresAt ?? Infinity) <= now) continue;
    const tag = readTag(description);
    if (tag?.clusterId === clusterId && !isUsed({ id, tag }, users)) orphans.push({ id, tag });
  }
  return orphans;
}

/** Whether a token must be left alone. */
export function isUsed({ id, tag }: Orphan, { ids, underWay, known }: Users): boolean {
  if (ids.has(id)) return true;
  if (known && !known.has(tag.uid)) return true;
  return tag.revision >= (underWay.get(tag.uid) ?? Infinity);
}

/** Orphans seen, by identifier: when for the first time without a break, on a monotonic clock. */
export type Suspects = ReadonlyMap<string, number>;

/**
 * Takes in what one more list showed. An orphan is certain when an earlier list, at least `delay` ago, showed it too, and
 * every list since. Between two looks a watch can lag and a mint can be under way; not for that long.
 * @param now of a monotonic clock, milliseconds
 */
export function confirm(
  orphans: readonly Orphan[],
  before: Suspects,
  now: number,
  delay: number,
): { suspects: Suspects; certain: Orphan[] } {
  const suspects = new Map(orphans.map(({ id }) => [id, before.get(id) ?? now]));
  const certain = orphans.filter(({ id }) => {
    const since = before.get(id);
    return since !== undefined && now - since >= delay;
  });
  return { suspects, certain };
}

/** When the next of the suspects can be certain; undefined when none is left that is not. */
export function nextCertain(suspects: Suspects, now: number, delay: number): number | undefined {
  const times = [...suspects.values()].map((since) => since + delay).filter((time) => time > now);
  return times.length === 0 ? undefined : Math.min(...times);
}
