import type { Place, RegistryToken } from '../../api/registry-token.ts';
import type { ObjectName } from '../../common/objects.ts';
import { isSamePlace } from '../lifecycle/place.ts';
import { expiryOf } from '../lifecycle/schedule.ts';

/** A token that the status of a RegistryToken says is at a registry. */
export interface RecordedToken {
  id: string;
  place: Place;
  /** Of the RegistryToken. */
  uid: string;
  name: ObjectName;
  scope: readonly string[];
  /** Milliseconds since 1970; Infinity when it never expires. */
  expiresAt: number;
}

/** Milliseconds before its expiry from which a token can be missing because it expired. */
const EXPIRY_MARGIN = 60_000;

/** The tokens in force, and those still to be revoked, that are at a place by their RegistryTokens' statuses. */
export function recordedAt(
  tokens: Iterable<RegistryToken>,
  { account, place }: { account: string; place: Place },
): RecordedToken[] {
  const recorded: RecordedToken[] = [];
  for (const { metadata, status = {} } of tokens) {
    const { token, previousTokens = [] } = status;
    for (const record of [token, ...previousTokens]) {
      if (record?.account !== account || !isSamePlace(record.place, place)) continue;
      const { uid, namespace, name } = metadata;
      const { id, place: at, scope = [] } = record;
      recorded.push({ id, place: at, uid, name: { namespace, name }, scope, expiresAt: expiryOf(record) });
    }
  }
  return recorded;
}

/**
 * Those that are missing in a list, and not because they expired.
 * @param recorded as known before the list was asked for: what was recorded later may have been created later
 * @param listed identifiers in a complete list of the place
 * @param now by the registry's clock, milliseconds since 1970
 */
export function findAbsent(
  recorded: readonly RecordedToken[],
  listed: { has(id: string): boolean },
  now: number,
): RecordedToken[] {
  return recorded.filter(({ id, expiresAt }) => !listed.has(id) && expiresAt > now + EXPIRY_MARGIN);
}
