import type { ConditionUpdate } from '../../api/conditions.ts';
import { firstOf } from '../../api/syntax/text.ts';
import type { UnknownToken } from './unused-tokens.ts';

/** Identifiers named in the condition's message; the log tells of all of them. */
const MAX_NAMED = 5;

/**
 * What an account says while the registry has tokens with this cluster's id that were not asked for here.
 * @param byRegion region -> those found there
 * @returns undefined while there are none
 */
export function clusterIdConflict(
  byRegion: ReadonlyMap<string, readonly UnknownToken[]>,
  clusterId: string,
): Omit<ConditionUpdate, 'type'> | undefined {
  const names = [...byRegion].flatMap(([region, tokens]) =>
    tokens.map(({ id }) => (region === '' ? id : `${id} (${region})`)),
  );
  if (names.length === 0) return undefined;
  const message = `tokens at the registry carry this operator's cluster id (${clusterId}) and were not issued by it: ${firstOf(names, MAX_NAMED)}. Another cluster, such as one restored from a backup of this one, seems to use the same cluster id: set operator.clusterId there to another value. They are not revoked; if no other cluster uses them, revoke them at the registry. Until they are gone, tokens of deleted RegistryTokens are not revoked by the sweep either`;
  return { status: 'True', reason: 'UnknownTokens', message };
}
