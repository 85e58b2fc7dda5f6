import type { Access, Lifetime } from './registry-token.ts';

/** The lifetimes that a back end can give to a token. Durations in milliseconds. */
export type Lifetimes =
  /** A lifetime asked for is raised to `minimum` and rounded up to `granularity`; above `maximum` (undefined: none) there is none. */
  | {
      kind: 'range';
      minimum: number;
      maximum: number | undefined;
      granularity: number;
      /** Whether a token can live for ever. */
      never: boolean;
      default: Lifetime;
    }
  /** The registry decides, and tells the expiry with the token. `expected` is what it usually gives. */
  | { kind: 'fixed'; expected: number };

/** What the scope of a token can be. */
export interface ScopeCapability {
  /** What one name stands for, in messages. */
  name: string;
  /** Whether a name is that of a repository, or that of a namespace with repositories in it, which has no `/`. */
  covers: 'repository' | 'namespace';
  /** Whether a token can have several names. */
  many: boolean;
  /** Whether tokens of one name are listed by that name, and those of several or none in a list of their own. */
  listedApart: boolean;
}

/** How long a registry may not know a new token, in milliseconds since it answered. */
export interface Settling {
  /** It may refuse a login with it. */
  acceptance: number;
  /**
   * A list may lack it: of a request whose answer was lost nothing came when lists lack it for longer. One that shows later after all
   * is found by the sweep.
   */
  listing: number;
  /**
   * That the registry does not know it, in lists or by its id, does not say that it is gone: nothing would tell of it any more if it
   * showed later. So this is the longest that any of the registry's servers can lag, and at least `listing`.
   */
  absence: number;
}

/** How many RegistryTokens one account can have. */
export interface TokenQuota {
  registryTokens: number;
  /** What there are only so many of, in messages: `a service ID each, of which IBM Cloud allows 2000 in an account`. */
  why: string;
}

/** What a back end can do. Decisions ask this, never which back end it is. */
export interface Capabilities {
  /** `minted`: a token is created at the registry. `exchanged`: it is short-lived, and there is nothing to list or revoke. */
  issue: 'minted' | 'exchanged';
  access: readonly Access[];
  lifetimes: Lifetimes;
  /** undefined: a token takes no scope. */
  scope: ScopeCapability | undefined;
  /** How a token is found whose answer was lost: by its tag in a list, by a name that can't be used twice, or not at all. */
  find: 'tag' | 'name' | 'none';
  /** Whether a value can be read again. */
  readBack: boolean;
  /** Whether a token can be revoked by its id. */
  revoke: boolean;
  settling: Settling;
  /** As the registry has it unless its operator changed it; undefined: none is known. */
  quota?: TokenQuota;
}
