import type { Clock } from '../common/clock.ts';
import type { Redacted } from '../common/redacted.ts';
import { CircuitBreaker } from './http/circuit-breaker.ts';
import { Door } from './login-probe/login-probe.ts';
import { RegistryError } from './errors.ts';
import { HttpClient, type HttpSender } from './http/http-client.ts';
import type { Proxy } from './http/proxy.ts';
import { accountIdOf } from './ibm-iam/access-token.ts';
import { IamSession } from './ibm-iam/iam-session.ts';
import {
  IBM_REGISTRY_TOKENS_CAPABILITIES,
  IBMRegistryTokens,
} from './ibm-registry-tokens/ibm-registry-tokens.ts';
import type { RegistryMetrics } from './http/metrics.ts';
import type { Capabilities, Registry } from './port.ts';
import type { Outage } from './http/outage.ts';
import { PlaceClient } from './http/place-client.ts';
import { RateLimiter } from './http/rate-limiter.ts';
import { Regions, type Region, type RegionDefinition } from './ibm-iam/regions.ts';
import { RegistryClient } from './http/registry-client.ts';

/** The back ends there are. */
export type Provider = 'IBMRegistryTokens';

/** An account as a back end sees it. */
export interface AccountCredentials {
  name: string;
  provider: Provider;
  iamEndpoint: string;
  /** undefined for the account that the API key belongs to. */
  accountId?: string | undefined;
  apiKey: Redacted;
  /** Those it defines. */
  regions: readonly RegionDefinition[];
  /** To the token API of each region. Logins at the registries themselves are not counted. */
  requestsPerSecond: number;
}

export interface RegistryDirectoryOptions {
  clock: Clock;
  userAgent: string;
  /** Milliseconds that one request may take. */
  timeout: number;
  metrics: RegistryMetrics;
  /**
   * Asked right before a token is created or revoked, after every wait: what it throws comes out of that call, and nothing was
   * sent. Without it, everything may be done.
   */
  guard?: (() => void) | undefined;
  proxy?: Proxy | undefined;
  /** In place of connections of its own. */
  http?: HttpSender;
}

/** What all requests of an account to the token API of a region share. */
interface Lane {
  limiter: RateLimiter;
  breaker: CircuitBreaker;
}

/** How an account's region is doing, as far as this process has seen. */
export interface PlaceState {
  outage: Outage | undefined;
  /** When it answered again after its last outage, in milliseconds since 1970. */
  backAt: number | undefined;
}

interface Account {
  session: IamSession;
  /** By region and endpoint: a token API that moved is another. */
  lanes: Map<string, Lane>;
  /** Breakers of the registries themselves, which can be down while their token APIs are not. By host. */
  doors: Map<string, CircuitBreaker>;
}

const CAPABILITIES: Readonly<Record<Provider, Capabilities>> = {
  IBMRegistryTokens: IBM_REGISTRY_TOKENS_CAPABILITIES,
};

/** What a back end can do, without an account. */
export function capabilitiesOf(provider: Provider): Capabilities {
  return CAPABILITIES[provider];
}

/**
 * The registries of all accounts. Between calls it keeps what they share: connections, an access token per account, a
 * rate limit per account and region. All of it is in memory; the next process starts afresh.
 */
export class RegistryDirectory {
  readonly #clock: Clock;
  readonly #surroundings: { http: HttpSender; clock: Clock; metrics: RegistryMetrics };
  readonly #client: RegistryClient;
  readonly #guard: (() => void) | undefined;
  readonly #accounts = new Map<string, Account>();
  #onBack: (account: string) => void = () => undefined;

  constructor({ clock, userAgent, timeout, metrics, guard, proxy, http }: RegistryDirectoryOptions) {
    this.#clock = clock;
    const sender = http ?? new HttpClient({ clock, userAgent, timeout, proxy });
    this.#surroundings = { http: sender, clock, metrics };
    this.#client = new RegistryClient(sender, metrics, clock);
    this.#guard = guard;
  }

  /**
   * The registry of an account in one of its regions. Not to be kept: the next call may bring other credentials.
   * @throws RegistryError InvalidRequest when the account has no such region
   */
  registry(credentials: AccountCredentials, regionName: string): Registry {
    const region = regionOf(credentials, regionName);
    const { limiter, breaker } = this.#lane(credentials, region);
    return new IBMRegistryTokens({
      client: new PlaceClient({
        client: this.#client,
        limiter,
        breaker,
        account: credentials.name,
        region: region.name,
      }),
      session: this.#account(credentials).session,
      region,
      accountId: credentials.accountId,
      guard: this.#guard,
    });
  }

  /**
   * Where the tokens of an account's region are used. Not to be kept, as the registry.
   * @throws RegistryError InvalidRequest when the account has no such region, or its host can't be one
   */
  door(credentials: AccountCredentials, regionName: string): Door {
    const region = regionOf(credentials, regionName);
    const { doors } = this.#account(credentials);
    const breaker =
      doors.get(region.host) ??
      new CircuitBreaker({ clock: this.#clock, subject: `registry ${region.host}` });
    doors.set(region.host, breaker);
    return new Door({ ...this.#surroundings, breaker, account: credentials.name, region });
  }

  /** How an account's region is doing; nothing is known of one that the account does not have. */
  place(credentials: AccountCredentials, regionName: string): PlaceState {
    const region = new Regions(credentials).find(regionName);
    if (!region) return { outage: undefined, backAt: undefined };
    const { limiter, breaker } = this.#lane(credentials, region);
    return { outage: breaker.outage ?? limiter.outage, backAt: breaker.closedAt };
  }

  /** Lets the next request to an account's region through, though it is taken to be down. */
  tryNow(credentials: AccountCredentials, regionName: string): void {
    const region = new Regions(credentials).find(regionName);
    if (region) this.#lane(credentials, region).breaker.probeNow();
  }

  /** @param listener told of an account one of whose regions answers again after an outage; takes the place of an earlier one */
  whenBack(listener: (account: string) => void): void {
    this.#onBack = listener;
  }

  /**
   * Tries an account's credentials.
   * @returns the registry account they are for
   * @throws RegistryError when they do not work or can't be tried; the signal's reason
   */
  async verify(credentials: AccountCredentials, signal: AbortSignal): Promise<{ accountId: string }> {
    const grant = await this.#account(credentials).session.prove(signal);
    return { accountId: accountIdOf(credentials.accountId, grant.accountId) };
  }

  /** How far the clock of an account's region is ahead of this machine's, in milliseconds; 0 where that is not known. */
  skew(account: string, region: string): number {
    return this.#client.serverClocks.skew(account, region);
  }

  /** Drops what is kept for an account that is gone. Calls under way go on. */
  forget(name: string): void {
    this.#accounts.delete(name);
  }

  #lane(credentials: AccountCredentials, region: Region): Lane {
    const { name, requestsPerSecond } = credentials;
    const { lanes } = this.#account(credentials);
    const key = `${region.name} ${region.endpoint}`;
    let lane = lanes.get(key);
    if (lane) {
      lane.limiter.requestsPerSecond = requestsPerSecond;
    } else {
      const clock = this.#clock;
      const subject = `account ${name} in region ${region.name}`;
      lane = {
        limiter: new RateLimiter({ clock, subject, requestsPerSecond }),
        breaker: new CircuitBreaker({ clock, subject, onClosed: () => this.#onBack(name) }),
      };
      lanes.set(key, lane);
    }
    return lane;
  }

  /** A changed key or endpoint gets a new session at once; the rate limits stay, since the registry stays. */
  #account({ name, iamEndpoint, apiKey }: AccountCredentials): Account {
    const key = { account: name, endpoint: iamEndpoint, value: apiKey };
    const account = this.#accounts.get(name);
    if (account?.session.isFor(key)) return account;
    const session = new IamSession(this.#client, this.#clock, key);
    const { lanes = new Map<string, Lane>(), doors = new Map<string, CircuitBreaker>() } = account ?? {};
    const renewed: Account = { session, lanes, doors };
    this.#accounts.set(name, renewed);
    return renewed;
  }
}

/** @throws RegistryError InvalidRequest */
function regionOf(credentials: AccountCredentials, regionName: string): Region {
  const regions = new Regions(credentials);
  const region = regions.find(regionName);
  if (region) return region;
  const known = regions.names.join(', ') || 'none';
  throw new RegistryError(
    'InvalidRequest',
    `account ${credentials.name} has no region ${regionName}; it has ${known}`,
  );
}
