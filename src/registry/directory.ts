import type { Clock } from '../common/clock.ts';
import type { Redacted } from '../common/redacted.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { RegistryError } from './errors.ts';
import { HttpClient, type HttpSender } from './http-client.ts';
import { IamSession } from './ibm-iam/iam-session.ts';
import {
  accountIdOf,
  IBM_REGISTRY_TOKENS_CAPABILITIES,
  IBMRegistryTokens,
} from './ibm-registry-tokens/ibm-registry-tokens.ts';
import type { RegistryMetrics } from './metrics.ts';
import type { Capabilities, Registry } from './port.ts';
import { RateLimiter } from './rate-limiter.ts';
import { regionNames, resolveRegion, type RegionDefinition } from './regions.ts';
import { RegistryClient } from './registry-client.ts';

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
  /** Added to the built-in regions, or in place of one. */
  regions: readonly RegionDefinition[];
  /** To each region. */
  requestsPerSecond: number;
}

export interface RegistryDirectoryOptions {
  clock: Clock;
  userAgent: string;
  /** Milliseconds that one request may take. */
  timeout: number;
  metrics: RegistryMetrics;
  /** In place of connections of its own. */
  http?: HttpSender;
}

/** What all requests of an account to a region share. */
interface Lane {
  limiter: RateLimiter;
  breaker: CircuitBreaker;
}

interface Account {
  session: IamSession;
  /** By region. */
  lanes: Map<string, Lane>;
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
  readonly #client: RegistryClient;
  readonly #accounts = new Map<string, Account>();

  constructor({ clock, userAgent, timeout, metrics, http }: RegistryDirectoryOptions) {
    this.#clock = clock;
    const sender = http ?? new HttpClient({ clock, userAgent, timeout });
    this.#client = new RegistryClient(sender, metrics, clock);
  }

  /**
   * The registry of an account in one of its regions. Not to be kept: the next call may bring other credentials.
   * @throws RegistryError InvalidRequest when the account has no such region
   */
  registry(credentials: AccountCredentials, regionName: string): Registry {
    const { name, regions, requestsPerSecond, accountId } = credentials;
    const region = resolveRegion(regionName, regions);
    if (!region) {
      const known = regionNames(regions).join(', ');
      throw new RegistryError(
        'InvalidRequest',
        `account ${name} has no region ${regionName}; it has ${known}`,
      );
    }
    const { session, lanes } = this.#account(credentials);
    let lane = lanes.get(region.name);
    if (lane) {
      lane.limiter.requestsPerSecond = requestsPerSecond;
    } else {
      const subject = `account ${name} in region ${region.name}`;
      const limiter = new RateLimiter({ clock: this.#clock, subject, requestsPerSecond });
      lane = { limiter, breaker: new CircuitBreaker(this.#clock, subject) };
      lanes.set(region.name, lane);
    }
    const { limiter, breaker } = lane;
    return new IBMRegistryTokens({
      client: this.#client,
      session,
      limiter,
      breaker,
      region,
      accountId,
    });
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

  /** A changed key or endpoint gets a new session at once; the rate limits stay, since the registry stays. */
  #account({ name, iamEndpoint, apiKey }: AccountCredentials): Account {
    const key = { account: name, endpoint: iamEndpoint, value: apiKey };
    const account = this.#accounts.get(name);
    if (account?.session.isFor(key)) return account;
    const session = new IamSession(this.#client, this.#clock, key);
    const renewed: Account = { session, lanes: account?.lanes ?? new Map<string, Lane>() };
    this.#accounts.set(name, renewed);
    return renewed;
  }
}
