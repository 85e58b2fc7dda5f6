import type { RegistryAccount } from '../../api/registry-account.ts';
import { ACCOUNT_DEFAULTS } from '../../api/registry-account.ts';
import type { RegistryToken, TokenRecord } from '../../api/registry-token.ts';

/**
 * Names, or aliases, of the regions where an account may have tokens, as far as the cluster tells: its default, those it
 * lists, and wherever a RegistryToken has, had or wants one of it.
 * @param tokens every RegistryToken, since one that names another account now may have tokens of this one left
 */
export function namedRegions(account: RegistryAccount, tokens: Iterable<RegistryToken>): Set<string> {
  const { spec, metadata } = account;
  const names = new Set([
    spec.defaultRegion ?? ACCOUNT_DEFAULTS.defaultRegion,
    ...(spec.regions ?? []).map(({ name }) => name),
  ]);
  for (const token of tokens) {
    if (token.spec.region !== undefined && (token.spec.accountRef?.name ?? 'default') === metadata.name)
      names.add(token.spec.region);
    for (const place of placesOf(token)) if (place.account === metadata.name) names.add(place.region);
  }
  return names;
}

/** Where a RegistryToken has, or may have, tokens by its status. */
export function placesOf({
  status = {},
}: Pick<RegistryToken, 'status'>): Pick<TokenRecord, 'account' | 'region' | 'place'>[] {
  const entries = [status.token, status.mintIntent, ...(status.previousTokens ?? [])];
  return entries.flatMap((entry) => {
    if (!entry) return [];
    const { account, region, place } = entry;
    return [{ account, region, place }];
  });
}
