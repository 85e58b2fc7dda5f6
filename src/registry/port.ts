import type { Capabilities } from '../api/capabilities.ts';
import { MAX_SCOPE, type Access, type Lifetime } from '../api/registry-token.ts';
import type { Clock } from '../common/clock.ts';
import type { Redacted } from '../common/redacted.ts';
import type { PlaceClient } from './http/place-client.ts';
import type { RegistryClient } from './http/registry-client.ts';

export type { Capabilities, Lifetimes } from '../api/capabilities.ts';
export type { Access, Lifetime } from '../api/registry-token.ts';

/** The owner of a token at the registry. */
export interface Tag {
  clusterId: string;
  /** metadata.uid of the RegistryToken. */
  uid: string;
  revision: number;
}

/** A request for a token. */
export interface IssueRequest {
  tag: Tag;
  /** Fingerprint of account, region, access, lifetime and scope. Tokens with the same one share what they hang on. */
  specHash: string;
  /** Shown at the registry; ends with the tag as text. */
  description: string;
  access: Access;
  /** One that `capabilities.lifetimes` offers. */
  lifetime: Lifetime;
  /** Names; empty: all that the account can give. */
  scope: readonly string[];
}

/** Most requests that issuing a token sends, one after another: one for each name in its scope, and some more. */
export const MAX_REQUESTS = MAX_SCOPE + 16;

/** A token and its value. */
export interface IssuedToken {
  id: string;
  /** User name for the value in a docker configuration. */
  username: string;
  value: Redacted;
  /** Milliseconds since 1970; null when it never expires. */
  expiresAt: number | null;
  /** Hosts that accept it, where the registry says so. */
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

/** Called with each row of a list; its results are collected, except undefined. */
export type Select<T> = (row: ListedToken) => T | undefined;

/**
 * One account at one place. Methods throw only RegistryError, the reason of an aborted signal and, from `issue`, `revoke` and
 * `release`, what the guard throws: then nothing was sent.
 */
export interface Registry {
  readonly capabilities: Capabilities;
  /** Host as in image names and in the Secret. */
  readonly host: string;
  /** Never retries: throws `Ambiguous` when the token may exist and the answer was lost. */
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
   * registry need not know it yet (`capabilities.settling.absence`).
   */
  revoke?(id: string, signal: AbortSignal): Promise<boolean>;
  /**
   * Lists everything of the operator's that the account has at this place, or throws: what may not be read is an error, never an
   * empty list. A list can be long: only what `select` returns is kept.
   * @param scope of the tokens to list, where the registry lists them apart by scope (`capabilities.scope.listedApart`)
   */
  list?<T>(scope: readonly string[], select: Select<T>, signal: AbortSignal): Promise<T[]>;
  /** The scopes that the account can see, where a back end lists them apart: tokens can be in some that nothing here knows of. */
  scopes?(signal: AbortSignal): Promise<(readonly string[])[]>;
  /**
   * Deletes what tokens of a RegistryToken hung on, save for these specHashes and for what living tokens hang on.
   * Throws `Conflict` when something else stays because tokens hang on it, or may.
   */
  release?:
    | ((owner: Pick<Tag, 'clusterId' | 'uid'>, keep: readonly string[], signal: AbortSignal) => Promise<void>)
    | undefined;
}

/** A region of a back end, or the registry itself where there are none: then `region` is empty. */
export interface Place {
  region: string;
  /** Host as in image names, with its port if it has one. */
  host: string;
  /** Base URL of the API, as `endpointForm` has it. Identifies the place; several regions can share one. */
  endpoint: string;
}

/** A region as an account defines it. */
export interface RegionDefinition {
  name: string;
  host: string;
  /** Default: `https://` and the host. */
  endpoint?: string | undefined;
}

/** An endpoint in one form: without a default port and a slash at the end, the host in lower case. Other text is returned unchanged. */
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
   * @returns the identity that they belong to: tokens issued by another identity are out of their reach; and a remark
   * @throws RegistryError when they don't work or can't be tried; the signal's reason
   */
  verify(signal: AbortSignal): Promise<{ identity: string; remark?: string }>;
  registry(place: Place): Registry;
}

/** What a connection works with. */
export interface Tools {
  /** Sends requests to one place, under its rate limit and through its circuit breaker. */
  client: (place: Place) => PlaceClient;
  /** Sends requests to services that all places share, such as a login service. */
  login: RegistryClient;
  clock: Clock;
  /** The pod's environment, for registries that use the pod's identity. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970 by the clock of a place's registry, as far as it is known. */
  registryNow: (place: Place) => number;
  /** Called right before something is created or deleted, after every wait: when it throws, nothing is sent. */
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
  /** Name for messages. */
  title: string;
  capabilities(block: Block): Capabilities;
  /** @param declared the regions that the account defines */
  places(block: Block, declared: readonly RegionDefinition[]): Places;
  /** The identity that the account names; undefined where only the credentials tell. */
  identity(block: Block): string | undefined;
  /** Field of the block that names it, where credentials can belong to another. */
  identityField?: string;
  /** What is wrong with the block, as the CRD's CEL rules say; API servers older than 1.25 drop those. */
  fault?(block: Block): string | undefined;
  /** Reads the credentials Secret, or says what is missing and what to do. @param data undefined: the account names no Secret */
  readCredentials(data: CredentialsData | undefined): { credentials: Credentials } | { problem: string };
  connect(account: AccountBlock<Block, Credentials>, tools: Tools): Connection;
}
