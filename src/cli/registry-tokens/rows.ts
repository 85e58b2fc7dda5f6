import { TOKEN_ID_ANNOTATION } from '../../api/names.ts';
import type { RegistryAccount } from '../../api/registry-account.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { toTime } from '../../api/syntax/time.ts';
import type { ObjectMeta } from '../../common/objects.ts';
import type { ListedToken } from '../../registry/port.ts';
import type { RetainedToken } from '../../token/sweep/retained.ts';
import { cameOf, readTag } from '../../token/sweep/tag.ts';
import type { Column } from '../output/table.ts';

/**
 * Whose a token of a registry is:
 * `InUse`: a RegistryToken's Secret has it, or is about to. `Previous`: it was in one, and is to be revoked. `Retained`: kept on purpose.
 * `InSecret`: a Secret has it whose RegistryToken does not know it. `Orphan`: its RegistryToken is gone, or gave up the request that it came of. `Unknown`: its RegistryToken is
 * here and does not know it. `OtherCluster`: another cluster's operator issued it. `Foreign`: no operator did. `Expired`: it is dead.
 */
export const STATES = [
  'InUse',
  'Previous',
  'Retained',
  'InSecret',
  'Orphan',
  'Unknown',
  'OtherCluster',
  'Foreign',
  'Expired',
] as const;
export type TokenState = (typeof STATES)[number];

/** A token as the registry lists it. Never a value. */
export interface TokenRow {
  id: string;
  region: string;
  state: TokenState;
  /** `namespace/name` of the RegistryToken or Secret, or the id of the cluster; empty where nobody knows. */
  owner: string;
  revision?: number;
  /** RFC 3339, or `Never` where it does not expire or the registry does not say. */
  expiresAt: string;
}

/** What tells whose tokens are. */
export interface Owners {
  tokens: readonly RegistryToken[];
  /** Tokens kept on purpose, whichever account speaks of them: two accounts can be one and the same at the registry. */
  retained: readonly RetainedToken[];
  /** Those with the id of a token, by their metadata and whatever labels they have; undefined: they may not be seen. */
  secrets: readonly { metadata: ObjectMeta }[] | undefined;
  /** Undefined: not known, so that tags of other RegistryTokens than those here are another cluster's. */
  clusterId: string | undefined;
}

/**
 * The cluster's id, as its operator writes it to the registry.
 * @param namespaceUid of kube-system, which is the id unless the operator is told another; undefined: may not be seen
 */
export function clusterIdOf(
  rows: readonly ListedToken[],
  tokens: readonly RegistryToken[],
  namespaceUid: string | undefined,
): string | undefined {
  const uids = new Set(tokens.map(({ metadata }) => metadata.uid));
  const ids = new Set(tokens.flatMap(({ status }) => status?.token?.id ?? []));
  const own = rows.find(({ id, description }) => ids.has(id) && uids.has(readTag(description)?.uid ?? ''));
  return readTag(own?.description ?? '')?.clusterId ?? namespaceUid;
}

/** @param now milliseconds since 1970 */
export function tokenRow(listed: ListedToken, region: string, owners: Owners, now: number): TokenRow {
  const { id, description, expiresAt } = listed;
  const tag = readTag(description);
  return {
    id,
    region,
    ...standingOf(listed, owners, now),
    ...(tag && { revision: tag.revision }),
    expiresAt: expiresAt === null ? 'Never' : toTime(expiresAt),
  };
}

function standingOf(
  { id, description, expiresAt, revoked }: ListedToken,
  { tokens, retained, secrets = [], clusterId }: Owners,
  now: number,
): Pick<TokenRow, 'state' | 'owner'> {
  const tag = readTag(description);
  // Ids of another account's registry can be the same: a tag says whose it is.
  const isOf = ({ metadata }: RegistryToken): boolean => tag === undefined || tag.uid === metadata.uid;
  for (const token of tokens.filter(isOf)) {
    if (token.status?.token?.id === id) return { state: 'InUse', owner: titleOf(token.metadata) };
    if (token.status?.previousTokens?.some((each) => each.id === id))
      return { state: 'Previous', owner: titleOf(token.metadata) };
  }
  const kept = retained.find((each) => each.id === id && (!tag || (each.uid ?? tag.uid) === tag.uid));
  if (kept) return { state: 'Retained', owner: titleOf(kept) };
  const secret = secrets.find(({ metadata }) => metadata.annotations?.[TOKEN_ID_ANNOTATION] === id);
  if (secret) return { state: 'InSecret', owner: titleOf(secret.metadata) };
  if (revoked || (expiresAt ?? Infinity) <= now) return { state: 'Expired', owner: '' };
  if (!tag) return { state: 'Foreign', owner: '' };
  const known = tokens.find(({ metadata }) => metadata.uid === tag.uid);
  if (tag.clusterId !== (clusterId ?? (known && tag.clusterId)))
    return { state: 'OtherCluster', owner: tag.clusterId };
  if (!known) return { state: 'Orphan', owner: '' };
  const { mintIntent, lostIntents = [] } = known.status ?? {};
  const isLost = lostIntents.some((lost) => cameOf(tag, lost));
  const state = mintIntent && cameOf(tag, mintIntent) ? 'InUse' : isLost ? 'Orphan' : 'Unknown';
  return { state, owner: titleOf(known.metadata) };
}

const titleOf = ({ namespace = '', name }: { namespace?: string; name: string }): string =>
  `${namespace}/${name}`;

/** What statuses say of an account's tokens, for those who may not ask its registry. */
export function rowsOfStatuses(
  tokens: readonly RegistryToken[],
  { metadata, status }: RegistryAccount,
): TokenRow[] {
  const own = tokens.flatMap(({ metadata: { namespace = '', name }, status: its }): TokenRow[] => {
    const owner = `${namespace}/${name}`;
    const { token, previousTokens = [] } = its ?? {};
    const rows = [
      ...(token ? [{ ...token, state: 'InUse' as const }] : []),
      ...previousTokens.map((each) => ({ ...each, state: 'Previous' as const })),
    ];
    return rows
      .filter(({ account }) => account === metadata.name)
      .map(({ id, region, revision, expiresAt = 'Never', state }) => ({
        id,
        region,
        state,
        owner,
        revision,
        expiresAt,
      }));
  });
  const retained = (status?.retainedTokens ?? []).map(({ id, region, namespace, name }): TokenRow => ({
    id,
    region,
    state: 'Retained',
    owner: `${namespace}/${name}`,
    expiresAt: '',
  }));
  return [...own, ...retained];
}

export const ROW_COLUMNS: readonly Column<TokenRow>[] = [
  { header: 'ID', cell: ({ id }) => id },
  { header: 'STATE', cell: ({ state }) => state },
  { header: 'OWNER', cell: ({ owner }) => owner },
  { header: 'REVISION', cell: ({ revision }) => (revision === undefined ? '' : String(revision)) },
  { header: 'EXPIRES', cell: ({ expiresAt }) => expiresAt },
  { header: 'REGION', cell: ({ region }) => region },
];
