import type { RegistryAccount } from '../../api/registry-account.ts';
import type { Place } from '../../api/registry-token.ts';
import type { Registry } from '../../registry/port.ts';
import type { UnknownToken } from '../../token/sweep/unused-tokens.ts';

/** What one look at a place is told. */
export interface Look {
  account: RegistryAccount;
  /** The name of a region that leads there, for messages; empty where there are none. */
  region: string;
  place: Place;
  /** The registry there. */
  registry: Registry;
  /** Uids of RegistryTokens that went, or are about to, and may have left tokens here. */
  gone: ReadonlySet<string>;
  /** Whether the last lists of the account's places show tokens that are unknown here. */
  isShared: () => boolean;
  /** Whether to look also in scopes of which nothing says that tokens are there. */
  everywhere: boolean;
}

/** What a log line says of a token. */
export function fieldsOf(
  { account, region }: Pick<Look, 'account' | 'region'>,
  { id, tag }: UnknownToken,
): object {
  return { account: account.metadata.name, region, id, uid: tag.uid, revision: tag.revision };
}

/** In messages; nothing where the registry has no regions. */
export function where(region: string): string {
  return region === '' ? '' : ` in ${region}`;
}
