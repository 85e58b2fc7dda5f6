import { MAX_LIST_LAG } from './list-lag.ts';

/** As many as an account's status holds. Tokens of a scope for which there is no room are found once a RegistryToken has it again. */
export const MAX_SCOPES = 1_000;

/** In which lists of scopes (`listOf`) a place was searched, where the registry lists them apart. Times are monotonic milliseconds. */
export interface SearchedScopes {
  /** When the last list was asked for. */
  askedAt: number;
  /** Those in which no token was left that nothing uses, by the last list and all since that time. */
  inVain: ReadonlyMap<string, number>;
}

export const NOT_SEARCHED: SearchedScopes = { askedAt: -Infinity, inVain: new Map() };

/**
 * Takes in one more look.
 * @param inUse scopes that RegistryTokens had when it began: what they leave comes later
 * @param unclean scopes in which something is left
 */
export function afterSearch(
  { inVain }: SearchedScopes,
  { scopes, askedAt }: { scopes: ReadonlySet<string>; askedAt: number },
  inUse: ReadonlySet<string>,
  unclean: ReadonlySet<string>,
): SearchedScopes {
  const free = [...scopes].filter((scope) => !inUse.has(scope) && !unclean.has(scope));
  const since = new Map(free.map((scope) => [scope, inVain.get(scope) ?? askedAt]));
  return { askedAt, inVain: since };
}

/** Tokens may have come to these scopes since: that they were searched in vain says nothing any more. */
export function withNoted(before: SearchedScopes, noted: ReadonlySet<string>): SearchedScopes {
  return { ...before, inVain: new Map([...before.inVain].filter(([scope]) => !noted.has(scope))) };
}

/** Whether every place was searched in a scope in vain, for longer than a list can lag. */
export function isFree(scope: string, places: readonly SearchedScopes[]): boolean {
  const isInVain = ({ askedAt, inVain }: SearchedScopes): boolean => {
    const since = inVain.get(scope);
    return since !== undefined && askedAt - since >= MAX_LIST_LAG;
  };
  return places.length > 0 && places.every(isInVain);
}

/**
 * The scopes that an account's status is to name from now on: those it names, without those that were searched in vain, and those
 * where something is left. An account that was deleted and created again has lost these from its status.
 */
export function scopesToName(
  named: readonly string[],
  {
    places,
    owed,
    unclean,
    inUse,
  }: {
    /** Of the account. */
    places: readonly SearchedScopes[];
    /** Scopes in which tokens may be left. */
    owed: ReadonlySet<string>;
    /** Those in which something was found. */
    unclean: ReadonlySet<string>;
    /** Those of RegistryTokens. */
    inUse: ReadonlySet<string>;
  },
): string[] {
  const kept = named.filter((scope) => inUse.has(scope) || owed.has(scope) || !isFree(scope, places));
  const found = [...unclean].filter((scope) => !inUse.has(scope) && !kept.includes(scope));
  return [...kept, ...found];
}
