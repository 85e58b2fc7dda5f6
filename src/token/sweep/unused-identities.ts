import type { Place } from '../../api/registry-token.ts';
import type { TaggedToken } from './tag.ts';
import { isUsed, type Users } from './users.ts';

/** What tokens hang on at a registry, such as a service ID with its policies: made for one RegistryToken as its spec was then. */
export interface Identity {
  id: string;
  clusterId: string;
  uid: string;
  specHash: string;
}

/**
 * Identities of this cluster that no token hangs on, nor will. Deleting one deletes the tokens that hang on it: where a token of
 * the same RegistryToken is in use and does not stand in its status, nobody knows on which, and all stay.
 * @param tokens all that were listed with them
 * @param place where they were listed
 */
export function findUnusedIdentities(
  identities: readonly Identity[],
  tokens: Iterable<TaggedToken>,
  users: Users,
  { clusterId, place }: { clusterId: string; place: Place },
): Identity[] {
  const doubtful = new Set<string>();
  for (const { id, tag } of tokens) {
    const recorded = users.inHand.get(tag.uid)?.ids;
    const isInDoubt = recorded ? !recorded.has(id) : isUsed({ id, tag }, place, users);
    if (tag.clusterId === clusterId && isInDoubt) doubtful.add(tag.uid);
  }
  return identities.filter(({ clusterId: cluster, uid, specHash }) => {
    if (cluster !== clusterId || doubtful.has(uid) || (users.known && !users.known.has(uid))) return false;
    return !users.inHand.get(uid)?.specHashes.has(specHash);
  });
}
