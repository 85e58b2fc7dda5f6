import type { Place } from '../../api/registry-token.ts';

/** What an account says of where it leads. */
export interface Leads {
  regions: readonly { name: string; endpoint: string }[];
  /** The back end of its registry; undefined: it names none. */
  provider: string | undefined;
  /** Whose its credentials are at the registry; undefined: not known yet. */
  identity: string | undefined;
  /** An administrator chose that identity, and so gave up what others there have. */
  isChosen: boolean;
  /** Endpoints that are gone for good. */
  abandoned: readonly string[];
}

/** How a place can be got at. */
export type Reach =
  /** Through a region of that name. */
  | { region: string }
  /** No region leads there, or with credentials of another account: whatever is said elsewhere proves nothing. */
  | 'elsewhere'
  /** As before, and an administrator wants its tokens to be forgotten. */
  | 'given up'
  | 'unknown';

/**
 * Whether two places are one. Two APIs can be behind one URL, such as a gateway's: what one back end does not know there, another may.
 * A place that was recorded before places said their back end is taken to be of any.
 */
export function isSamePlace(a: Place, b: Place): boolean {
  return a.endpoint === b.endpoint && a.identity === b.identity && isSameProvider(a.provider, b.provider);
}

function isSameProvider(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined || a === b;
}

/** What tells a token from all others: two registries can give the same identifier. */
export interface TokenKey {
  id: string;
  place: Place;
}

/** Whether two records are of one token. */
export function isSameToken(a: TokenKey, b: TokenKey): boolean {
  return a.id === b.id && isSamePlace(a.place, b.place);
}

/** Whether a token is among others. */
export function includesToken(tokens: readonly TokenKey[], token: TokenKey): boolean {
  return tokens.some((other) => isSameToken(other, token));
}

/**
 * How an account leads to a place. The name of a region says nothing: its endpoint can have moved, and another region may lead
 * where it led.
 * @param preferred the region to name where several lead there
 */
export function reachOf(
  { endpoint, identity, provider }: Place,
  { provider: ownProvider, regions, identity: own, isChosen, abandoned }: Leads,
  preferred: string,
): Reach {
  const leading = isSameProvider(provider, ownProvider) ? regions : [];
  const names = leading.filter((region) => region.endpoint === endpoint).map(({ name }) => name);
  const [first] = names;
  if (first === undefined) return abandoned.includes(endpoint) ? 'given up' : 'elsewhere';
  if (own === undefined) return 'unknown';
  if (own === identity) return { region: names.includes(preferred) ? preferred : first };
  return isChosen ? 'given up' : 'elsewhere';
}

/** A place, for messages. */
export function describePlace({ endpoint, identity }: Place): string {
  return identity === endpoint ? endpoint : `${endpoint} in account ${identity}`;
}
