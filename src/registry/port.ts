import type { Capabilities } from '../api/capabilities.ts';
import { MAX_SCOPE, type Access, type Lifetime } from '../api/registry-token.ts';
import type { Clock } from '../common/clock.ts';
import type { Redacted } from '../common/redacted.ts';
import type { PlaceClient } from './http/place-client.ts';
import type { RegistryClient } from './http/registry-client.ts';

export type { Capabilities, Lifetimes } from '../api/capabilities.ts';
export type { Access, Lifetime } from '../api/registry-token.ts';

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

/** Requests that issuing a token takes at the most, one after another: one for each name of its scope, and some. */
export const MAX_REQUESTS = MAX_SCOPE + 16;

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
  /**
   * Looks up one token by its id. Lists may lack it, such as one on a service ID that the account no longer names.
   * @returns its row; undefined where there is no such token
   */
  lookUp?(id: string, signal: AbortSignal): Promise<ListedToken | undefined>;
  /**
   * Deletes a token, or what tokens hang on. Throws `Conflict` for what tokens still hang on.
   * @returns whether the registry knew it. One that it does not know is gone, unless it was issued so short a time ago that the
   * registry need not know it yet (`capabilities.settling.listing`).
   */
  revoke?(id: string, signal: AbortSignal): Promise<boolean>;
  /**
   * Looks at everything of ours that the account has at this place, or throws: what may not be read is an error, never an
   * empty list. A list can be long: only what `select` returns is kept.
   * @param scope of the tokens to list, where the registry lists them apart by scope (`capabilities.scope.listedApart`)
   */
  list?<T>(scope: readonly string[], select: Select<T>, signal: AbortSignal): Promise<T[]>;
  /**
   * Deletes what tokens of a RegistryToken hung on, save for these specHashes and for what living tokens hang on.
   * Throws `Conflict` where of the rest anything stays, since tokens hang on it or may do.
   */
  release?:
    | ((owner: Pick<Tag, 'clusterId' | 'uid'>, keep: readonly string[], signal: AbortSignal) => Promise<void>)
    | undefined;
}

/** A region of a back end, or the registry itself where there are none: then `region` is empty. */
export interface Place {
  region: string;
  /** Host as it stands in image names, with its port if it has one. */
  host: string;
  /** Base URL of the API, as `endpointForm` has it. Identifies the place; several regions can share one. */
  endpoint: string;
}

/** A region as an account defines it. */
export interface RegionDefinition {
  name: string;
  host: string;
  /** `https://` and the host unless told. */
  endpoint?: string | undefined;
}

/** An endpoint in one form: without a default port and a slash at the end, the host in lower case. What is no URL stays as it is. */
export function endpointForm(url: string): string {
  return (URL.parse(url)?.href ?? url).replace(/\/+$/, '');
}

/** Where an account has registries. */
export interface Places {
  /** The region of a RegistryToken and an account that name none; undefined where there are no regions. */
  defaultRegion: string | undefined;
  /** All of them, without aliases, in the order of their names. */
  all: readonly Place[];
  /** @param region a name or an alias; undefined: the default, or the registry itself */
  resolve: (region: string | undefined) => Place | undefined;
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
export interface Tools {
  /** Sends requests to one place, under its rate limit and through its circuit breaker. */
  client: (place: Place) => PlaceClient;
  /** Sends requests to what all places share, such as a login service. */
  login: RegistryClient;
  clock: Clock;
  /** The pod's, for registries that take its own identity. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970 by the clock of a place's registry, as far as it is known. */
  registryNow: (place: Place) => number;
  /** Asked right before something is created or deleted, after every wait: what it throws ends the request unsent. */
  guard: (() => void) | undefined;
}

/** The data of an account's credentials Secret. */
export type CredentialsData = ReadonlyMap<string, Redacted>;

/** An account with its block and its credentials, as a back end connects it. */
export interface AccountBlock<Block, Credentials> {
  name: string;
  block: Block;
  credentials: Credentials;
}

/** A kind of registry. */
export interface BackEnd<Block, Credentials> {
  /** In messages. */
  title: string;
  capabilities(block: Block): Capabilities;
  /** @param declared the regions that the account defines */
  places(block: Block, declared: readonly RegionDefinition[]): Places;
  /** Whose the account says that its credentials are; undefined where only the credentials tell. */
  identity(block: Block): string | undefined;
  /** Field of the block that says so, where credentials can be another's. */
  identityField?: string;
  /** What is wrong with the block: what rules of the CRD say, which API servers older than 1.25 drop. */
  fault?(block: Block): string | undefined;
  /** Reads the credentials Secret, or says what is missing and what to do. @param data undefined: the account names no Secret */
  readCredentials(data: CredentialsData | undefined): { credentials: Credentials } | { problem: string };
  connect(account: AccountBlock<Block, Credentials>, tools: Tools): Connection;
}
