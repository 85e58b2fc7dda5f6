import type { RegistryAccount } from '../../api/registry-account.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { listOf } from '../decide/scope.ts';

/** In which lists of scopes (`listOf`) tokens of an account are, or may be, by the statuses of RegistryTokens. */
export function scopesInUse(account: string, tokens: Iterable<Pick<RegistryToken, 'status'>>): Set<string> {
  const scopes = new Set<string>();
  for (const { status = {} } of tokens) {
    const { token, mintIntent, previousTokens = [], lostIntents = [] } = status;
    for (const entry of [token, mintIntent, ...previousTokens, ...lostIntents])
      if (entry?.account === account) scopes.add(listOf(entry.scope));
  }
  return scopes;
}

/** As `scopesInUse`, with those of tokens that are left: what the account's status says. */
export function knownScopes(
  name: string,
  account: Pick<RegistryAccount, 'status'> | undefined,
  tokens: Iterable<Pick<RegistryToken, 'status'>>,
): Set<string> {
  const { scopes = [], retainedTokens = [] } = account?.status ?? {};
  const retained = retainedTokens.map(({ scope }) => listOf(scope));
  return new Set([...scopesInUse(name, tokens), ...scopes, ...retained]);
}
