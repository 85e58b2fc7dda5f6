import type { RegistryAccount } from '../../api/registry-account.ts';
import { accountName, type RegistryToken, type TokenRecord } from '../../api/registry-token.ts';

/**
 * Names, or aliases, of the regions where an account may have tokens, as far as the cluster tells: its default, those it
 * lists, and wherever a RegistryToken has, had or wants one of it.
 * @param defaultRegion of a RegistryToken that names none; empty where the registry has no regions
 * @param tokens every RegistryToken, since one that names another account now may have tokens of this one left
 */
export function namedRegions(
  account: RegistryAccount,
  defaultRegion: string,
  tokens: Iterable<RegistryToken>,
): Set<string> {
  const { spec, metadata } = account;
  const names = new Set([defaultRegion, ...(spec.regions ?? []).map(({ name }) => name)]);
  for (const token of tokens) {
    if (token.spec.region !== undefined && accountName(token.spec) === metadata.name)
      names.add(token.spec.region);
    for (const place of placesOf(token)) if (place.account === metadata.name) names.add(place.region);
  }
  return names;
}

/** Where a RegistryToken has, or may have, tokens to look after, by its status. */
export function placesOf({
  status = {},
}: Pick<RegistryToken, 'status'>): Pick<TokenRecord, 'account' | 'region' | 'place' | 'scope'>[] {
  const { token, mintIntent, previousTokens = [] } = status;
  const entries = [token?.revocable === false ? undefined : token, mintIntent, ...previousTokens];
  return entries.flatMap((entry) => {
    if (!entry) return [];
    const { account, region, place, scope } = entry;
    return [{ account, region, place, ...(scope && { scope }) }];
  });
}
