import type { Clock } from '../common/clock.ts';
import type { Redacted } from '../common/redacted.ts';
import type { Access } from './port.ts';

/** Milliseconds, or for ever. */
export type Lifetime = number | 'Never';

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

/** What a back end can do. Decisions ask this, never which back end it is. */
export interface Capabilities {
  /** `minted`: a token is created at the registry. `exchanged`: it is short-lived, and there is nothing to list or revoke. */
  issue: 'minted' | 'exchanged';
  access: readonly Access[];
  lifetimes: Lifetimes;
  /** What one name of a scope stands for (`project`), and whether a token can have several; undefined: it takes none. */
  scope: { name: string; many: boolean } | undefined;
  /** How a token is found whose answer was lost: by its tag in a list, by a name that can't be used twice, or not at all. */
  find: 'tag' | 'name' | 'none';
  /** Whether a value can be read again. */
  readBack: boolean;
  /** Whether a token can be revoked by its id. */
  revoke: boolean;
  /** Milliseconds that a new token may be refused, and be missing from a list. */
  settling: { acceptance: number; listing: number };
}

/** Whose a token at the registry is. */
export interface Tag {
  clusterId: string;
  /** metadata.uid of the RegistryToken. */
  uid: string;
  revision: number;
}

/** What a token is to be. */
export interface IssueRequest {
  tag: Tag;
  /** Fingerprint of account, region, access, lifetime and scope; what several tokens in turn hang on is made for one of these. */
  specHash: string;
  /** Shown at the registry; ends with the tag in writing. */
  description: string;
  access: Access;
  /** One that `capabilities.lifetimes` has. */
  lifetime: Lifetime;
  /** Names; empty: all that the account can give. */
  scope: readonly string[];
}

/** A token and its value. */
export interface IssuedToken {
  id: string;
  /** User name that goes with the value in a docker configuration. */
  username: string;
  value: Redacted;
  /** Milliseconds since 1970; null when it never expires. */
  expiresAt: number | null;
  /** Hosts that it is for, where the registry says so. */
  hosts?: readonly string[];
}

/** A row of a registry's list: a token, or what tokens hang on. Never a value. */
export interface ListedToken {
  id: string;
  /** Ends with our tag, if it is ours. */
  description: string;
  /** Milliseconds since 1970; null when it never expires or the registry does not say. */
  expiresAt: number | null;
  revoked: boolean;
  /** Set for what tokens hang on (a service ID with its policies): what it was made for. */
  identity?: { clusterId: string; uid: string; specHash: string };
}

/** Looks at one row of a list: what it returns is kept, unless it is undefined. */
export type Select<T> = (row: ListedToken) => T | undefined;

/**
 * One account at one place. Every method throws a RegistryError and nothing else, save the reason of an aborted signal and, from
 * `issue`, `revoke` and `release`, what the guard throws: then nothing was sent.
 */
export interface Registry {
  readonly capabilities: Capabilities;
  /** Host as it stands in image names and in the Secret. */
  readonly host: string;
  /** Never retried inside: throws `Ambiguous` when it may have happened and the answer was lost. */
  issue(request: IssueRequest, signal: AbortSignal): Promise<IssuedToken>;
  /** Reads a value again. Throws `NotFound` when there is no such token. Only with `readBack`. */
  read?(id: string, signal: AbortSignal): Promise<IssuedToken>;
  /** Deletes a token, or what tokens hang on; one that is gone already is success. */
  revoke?(id: string, signal: AbortSignal): Promise<void>;
  /**
   * Looks at everything of ours that the account has at this place, or throws: what may not be read is an error, never an
   * empty list. A list can be long: only what `select` returns is kept.
   * @param scopes of the tokens that can be there, where a back end keeps them apart by scope
   */
  list?<T>(scopes: readonly (readonly string[])[], select: Select<T>, signal: AbortSignal): Promise<T[]>;
  /** Deletes what tokens of a RegistryToken hang on, save for these specHashes. */
  release?:
    | ((owner: Pick<Tag, 'clusterId' | 'uid'>, keep: readonly string[], signal: AbortSignal) => Promise<void>)
    | undefined;
}

/** A region of a back end, or the registry itself where there are none: then `region` is empty. */
export interface Place {
  region: string;
  /** Host as it stands in image names, with its port if it has one. */
  host: string;
  /** Base URL of the API. Identifies the place. */
  endpoint: string;
}

/** Where an account has registries. */
export interface Places {
  /** The region of a RegistryToken that names none; undefined where there are no regions. */
  defaultRegion: string | undefined;
  /** Names of the regions, without aliases, in order. */
  names: readonly string[];
  /** @param region a name or an alias; undefined: the default, or the registry itself */
  resolve(region: string | undefined): Place | undefined;
}

/** What connects an account's credentials with its registries. */
export interface Connection {
  /**
   * Tries the credentials.
   * @returns whose they are, since tokens that were issued with another's are out of their reach; and what else there is to say
   * @throws RegistryError when they don't work or can't be tried; the signal's reason
   */
  verify(signal: AbortSignal): Promise<{ identity: string; remark?: string }>;
  registry(place: Place): Registry;
}

/** What a connection works with. */
export interface Tools<Client> {
  /** Sends requests to one place, under its rate limit and through its circuit breaker. */
  client: (place: Place) => Client;
  clock: Clock;
  /** Milliseconds since 1970 by the clock of a place's registry, as far as it is known. */
  registryNow: (place: Place) => number;
  /** Asked right before something is created or deleted, after every wait: what it throws ends the request unsent. */
  guard: (() => void) | undefined;
}
