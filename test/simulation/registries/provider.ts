import type { Access, RegistryTokenSpec } from '../../../src/api/registry-token.ts';
import type { RegistryAccountSpec } from '../../../src/api/registry-account.ts';
import type { HttpRequest } from '../../../src/registry/http/http-client.ts';
import type { Answer } from '../../../sandbox/registries/shared/message.ts';
import type { Path } from '../../../sandbox/registries/shared/fake-registry.ts';
import type { Dice } from '../dice.ts';
import type { AccountName } from './api-keys.ts';

/** Something at a registry that is one's own by its description. Times in milliseconds since 1970. */
export interface Possession {
  id: string;
  description: string;
  /** Endpoint of the API that has it. */
  endpoint: string;
  /** The account that has it there; undefined: the registry has no accounts. */
  account: string | undefined;
}

/** A token at a registry, as whoever looks on sees it. */
export interface TokenEvent extends Possession {
  access: Access;
  /** Names; empty: all. */
  scope: readonly string[];
  /** null when it never expires. */
  expiresAt: number | null;
  time: number;
}

/** A token that was given for an account's credentials, where nothing is kept that could be listed or revoked. */
export interface Exchange {
  /** The audit's own: the registry gives none. */
  id: string;
  /** The account at the registry. */
  account: string;
  /** Endpoint of the API that gave it. */
  endpoint: string;
  /** What it opens, as tried. */
  access: Access;
  /** Names; empty: all. */
  scope: readonly string[];
  /** Milliseconds since 1970, as `time`. */
  expiresAt: number;
  time: number;
}

/** Who is told of what happens to tokens, and to what they hang on. */
export interface Observer {
  exchanged: (exchange: Exchange) => void;
  issued: (token: TokenEvent) => void;
  revoked: (token: TokenEvent) => void;
  /** Something that tokens hang on was created. */
  founded: (identity: Possession) => void;
}

/** What a request is for: to log in or try a token, to look, to exchange or create a token, to create what tokens hang on, or to delete. */
export type Purpose = 'login' | 'look' | 'exchange' | 'mint' | 'found' | 'revoke';

export interface Inquiry {
  /** As the fake calls it. */
  operation: string;
  purpose: Purpose;
  /** Of the token that it is to create. */
  description?: string;
}

/** Whose a credential is that is shown where images are pulled. */
export interface Holder {
  /** Actions on repositories whose names begin so. */
  actions: (name: string) => readonly string[];
}

/** Who looks at credentials where images are pulled. */
export interface Gatekeeper {
  /** Status of the answer to a credential that is not good. */
  readonly refusal: number;
  /** Whether a bad credential that comes with a scope gets a bearer token that gives nothing. */
  readonly givesNothingToBadCredentials: boolean;
  /** Whose a good credential is; undefined: it is not good at that host, or not yet. */
  holder(host: string, username: string, password: string): Holder | undefined;
}

/** Runs something in somebody's name. */
export type As = <T>(act: () => T) => T;

/** The part of an account's spec that says where it leads. */
export type Whereabouts = Pick<
  RegistryAccountSpec,
  'ibmCloud' | 'ibmRegistryTokens' | 'harbor' | 'ecr' | 'regions'
>;

/** What a RegistryToken can ask of a registry and not of every other. */
export type Wish = Pick<RegistryTokenSpec, 'region' | 'scope' | 'lifetime' | 'access'>;

/** The registries of one back end, all that accounts of it can lead to. */
export interface Provider {
  readonly hasRegions: boolean;
  /** Whether the value of a token can be read again. */
  readonly readsBack: boolean;
  /** That tokens can have. */
  readonly access: readonly Access[];
  /** Names that a token can be for; none: it is for all. */
  readonly scopes: readonly string[];
  /** Whether every token is for exactly one of these. */
  readonly isOfOneName: boolean;
  /** That RegistryTokens ask for. */
  readonly lifetimes: readonly string[];
  /** Whether a token can live for ever. */
  readonly neverExpires: boolean;
  /** What lifetimes are rounded up to, in milliseconds; undefined: tokens live as long as the registry likes. */
  readonly granularity: number | undefined;
  /**
   * Milliseconds that every token lives from its exchange on: tokens are given for the account's credentials, and can't be listed or
   * revoked; undefined: they are not exchanged.
   */
  readonly sessions: number | undefined;
  /** Hosts of APIs. */
  readonly apiHosts: readonly string[];
  /** Hosts as they stand in image names. */
  readonly doors: readonly string[];
  /** undefined: the fake looks at them itself. */
  readonly gatekeeper: Gatekeeper | undefined;

  /** Gets ready: nothing may be waited for in real time later. */
  load?(): Promise<void>;
  /** Where an account leads at first. */
  whereabouts(account: AccountName): Whereabouts;
  /** An edit of where an account leads: to nowhere, to another registry, or back. */
  move(dice: Dice, account: AccountName, now: Whereabouts): Whereabouts;
  /** An account's credentials Secret. */
  credentials(key: string): Record<string, string>;

  inquire(request: Unsent): Inquiry;
  /** Has its effect before it gives its promise. */
  handle(request: HttpRequest): Promise<Answer>;
  /** The documented answer of that status, without any effect. */
  refuse(request: HttpRequest, status: number, retryAfter?: number): Promise<Answer>;

  /** The token that a password was ever of. */
  tokenOf(password: string): string | undefined;
  /** Whether pods can pull with a token at a host all that it is for. */
  accepts(host: string, id: string): boolean;
  /** Tokens that live. */
  tokens(): Possession[];
  /** What there is besides: what tokens hang on, and tokens that expired and are not gone by themselves. */
  remains(): Possession[];
  /** Removes a token as an administrator of the registry would. */
  takeAway(id: string, as: As): Promise<void>;
  /** Creates tokens, and what they hang on, that are none of the operator's business. */
  addTokensOfOthers(descriptions: readonly string[], as: As): Promise<void>;
}

/** What says what a request is for. */
export type Unsent = Pick<HttpRequest, 'method' | 'url' | 'body' | 'headers'>;

/** The operation that a request asks a fake for. */
export function operationIn<Operation extends string>(
  paths: readonly Path<Operation>[],
  { method, url }: Pick<HttpRequest, 'method' | 'url'>,
): Operation {
  const operation = paths.find(({ pattern }) => pattern.test(url.pathname))?.operations[method];
  if (operation === undefined) throw new Error(`${method} ${url.href} asks a registry for nothing`);
  return operation;
}

/** A request as fakes take it. */
export function requestOf({ method, url, headers, body = '' }: Unsent): {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
} {
  const lowerCase = Object.entries({ ...headers, host: url.host }).map(([name, value]) => [
    name.toLowerCase(),
    value,
  ]);
  return {
    method,
    path: url.pathname + url.search,
    headers: Object.fromEntries(lowerCase) as Record<string, string>,
    body,
  };
}

/** The description of what a request in JSON creates. */
export function describedIn(body: string | undefined): string {
  const { description } = JSON.parse(body ?? '{}') as { description?: string };
  return description ?? '';
}

/** Random bytes of which those of credentials begin, in base64, as JSON Web Tokens do: so every credential can be searched for. */
export function marked(bytes: (size: number) => Uint8Array, size: number): (size: number) => Uint8Array {
  return (wanted) => {
    const drawn = bytes(wanted);
    if (wanted === size) drawn.set([0x7b, 0x22, 0x61]);
    return drawn;
  };
}
