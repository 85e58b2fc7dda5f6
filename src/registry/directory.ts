import type { Clock } from '../common/clock.ts';
import type { Connection, Place, Registry } from './port.ts';
import type { Credentials } from './backends.ts';
import { RegistryError } from './errors.ts';
import { CircuitBreaker } from './http/circuit-breaker.ts';
import { HttpClient, type HttpSender } from './http/http-client.ts';
import type { RegistryMetrics } from './http/metrics.ts';
import type { Outage } from './http/outage.ts';
import { PlaceClient } from './http/place-client.ts';
import type { Proxy } from './http/proxy.ts';
import { RateLimiter } from './http/rate-limiter.ts';
import { RegistryClient } from './http/registry-client.ts';
import { ServerClocks } from './http/server-clocks.ts';
import { LoginProbe } from './login-probe/login-probe.ts';

/** An account with its credentials. */
export interface AccountCredentials {
  name: string;
  credentials: Credentials;
  /** Certificates in PEM form of authorities to trust beside the usual ones. */
  caBundle?: string | undefined;
  /** To each API that issues tokens. Logins at the registries themselves are not counted. */
  requestsPerSecond: number;
}

export interface RegistryDirectoryOptions {
  clock: Clock;
  userAgent: string;
  /** Milliseconds that one request may take. */
  timeout: number;
  metrics: RegistryMetrics;
  /**
   * Asked right before a token is created or revoked, after every wait: when it throws, that call fails with the same
   * error, and nothing was sent.
   */
  guard?: (() => void) | undefined;
  proxy?: Proxy | undefined;
  /** The pod's environment, for registries that take its identity. */
  environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** In place of connections of its own. */
  http?: HttpSender;
}

/** What all requests of an account to one place share. */
interface Lane {
  limiter: RateLimiter;
  breaker: CircuitBreaker;
}

/** The state of an account's region, as far as this process has seen. */
export interface PlaceState {
  outage: Outage | undefined;
  /** When it answered again after its last outage, in milliseconds since 1970. */
  backAt: number | undefined;
}

interface Account {
  fingerprint: string;
  caBundle: string | undefined;
  http: HttpSender;
  connection: Connection;
  requestsPerSecond: number;
  /** By endpoint. */
  lanes: Map<string, Lane>;
  /** Breakers of the registries themselves, which can be down while the APIs that issue tokens are not. By host. */
  hostBreakers: Map<string, CircuitBreaker>;
}

/**
 * The registries of all accounts. Between calls it keeps what they share: connections, each with its access token, and a rate limit
 * for each place. All of it is in memory only.
 */
export class RegistryDirectory {
  readonly #clock: Clock;
  readonly #metrics: RegistryMetrics;
  readonly #serverClocks: ServerClocks;
  readonly #newSender: (caBundle: string | undefined) => HttpSender;
  readonly #guard: (() => void) | undefined;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #accounts = new Map<string, Account>();
  #lastRequestAt = -Infinity;
  #onBack: (account: string) => void = () => undefined;

  constructor({
    clock,
    userAgent,
    timeout,
    metrics,
    guard,
    proxy,
    environment = {},
    http,
  }: RegistryDirectoryOptions) {
    this.#environment = environment;
    this.#clock = clock;
    this.#metrics = {
      requested: (labels, milliseconds) => {
        this.#lastRequestAt = clock.monotonic();
        metrics.requested(labels, milliseconds);
      },
    };
    this.#serverClocks = new ServerClocks(clock);
    this.#newSender = (caBundle) => http ?? new HttpClient({ clock, userAgent, timeout, proxy, caBundle });
    this.#guard = guard;
  }

  /**
   * The registry of an account in one of its regions. Do not keep it: the credentials can change.
   * @throws RegistryError InvalidRequest when the account has no such region
   */
  registry(account: AccountCredentials, regionName: string): Registry {
    return this.#account(account).connection.registry(placeOf(account, regionName));
  }

  /**
   * Tries tokens of an account's region. Do not keep it: the credentials can change.
   * @throws RegistryError InvalidRequest when the account has no such region, or its host can't be one
   */
  loginProbe(account: AccountCredentials, regionName: string): LoginProbe {
    const place = placeOf(account, regionName);
    const { hostBreakers, http } = this.#account(account);
    const breaker =
      hostBreakers.get(place.host) ??
      new CircuitBreaker({ clock: this.#clock, subject: `registry ${place.host}` });
    hostBreakers.set(place.host, breaker);
    const surroundings = { http, clock: this.#clock, metrics: this.#metrics };
    const namesCover = account.credentials.capabilities.scope?.covers;
    return new LoginProbe({ ...surroundings, breaker, account: account.name, place, namesCover });
  }

  /** The state of an account's region; unknown for one that the account does not have. */
  place(account: AccountCredentials, regionName: string): PlaceState {
    const place = account.credentials.places.resolve(regionName);
    if (!place) return { outage: undefined, backAt: undefined };
    const { limiter, breaker } = this.#lane(account.name, this.#account(account), place);
    return { outage: breaker.outage ?? limiter.outage, backAt: breaker.closedAt };
  }

  /** Sends the next request to an account's region, even while it counts as down. */
  tryNow(account: AccountCredentials, regionName: string): void {
    const place = account.credentials.places.resolve(regionName);
    if (place) this.#lane(account.name, this.#account(account), place).breaker.probeNow();
  }

  /** When a request to any registry last ended, however it did; monotonic milliseconds. */
  get lastRequestAt(): number {
    return this.#lastRequestAt;
  }

  /** @param listener called with an account when one of its places answers again after an outage; replaces an earlier one */
  whenBack(listener: (account: string) => void): void {
    this.#onBack = listener;
  }

  /**
   * Tries an account's credentials.
   * @returns whose they are, and what else there is to say
   * @throws RegistryError when they do not work or can't be tried; the signal's reason
   */
  verify(account: AccountCredentials, signal: AbortSignal): ReturnType<Connection['verify']> {
    return this.#account(account).connection.verify(signal);
  }

  /** The time by the clock of an account's region, in milliseconds since 1970; by this machine's where that is not known. */
  registryNow(account: string, region: string): number {
    return this.#serverClocks.now(account, region);
  }

  /** Drops what is kept for an account that is gone. Calls under way go on. */
  forget(name: string): void {
    this.#accounts.delete(name);
  }

  #lane(name: string, { lanes, requestsPerSecond }: Account, { endpoint }: Place): Lane {
    let lane = lanes.get(endpoint);
    if (lane) {
      lane.limiter.requestsPerSecond = requestsPerSecond;
    } else {
      const clock = this.#clock;
      const subject = `account ${name} at ${URL.parse(endpoint)?.host ?? endpoint}`;
      lane = {
        limiter: new RateLimiter({ clock, subject, requestsPerSecond }),
        breaker: new CircuitBreaker({ clock, subject, onClosed: () => this.#onBack(name) }),
      };
      lanes.set(endpoint, lane);
    }
    return lane;
  }

  /**
   * Accounts that trust the same authorities share connections, for as long as there is one. Nothing else holds those of a
   * former `caBundle`: calls in flight end on them, and undici closes idle ones after four seconds or, where the server's
   * Keep-Alive header asks for longer, after that, within ten minutes.
   */
  #senderFor(caBundle: string | undefined): HttpSender {
    const sharing = [...this.#accounts.values()].find((account) => account.caBundle === caBundle);
    return sharing?.http ?? this.#newSender(caBundle);
  }

  /** Changed credentials get a new connection at once; the rate limits stay, since the registry is the same. */
  #account({ name, credentials, caBundle, requestsPerSecond }: AccountCredentials): Account {
    const { connect, fingerprint } = credentials;
    const account = this.#accounts.get(name);
    if (account?.fingerprint === fingerprint && account.caBundle === caBundle) {
      account.requestsPerSecond = requestsPerSecond;
      return account;
    }
    const { lanes = new Map<string, Lane>(), hostBreakers = new Map<string, CircuitBreaker>() } =
      account ?? {};
    const http = this.#senderFor(caBundle);
    const login = new RegistryClient(http, this.#metrics, this.#clock, this.#serverClocks);
    const shared = { fingerprint, caBundle, http, requestsPerSecond, lanes, hostBreakers };
    const client = (place: Place): PlaceClient => {
      const lane = this.#lane(name, renewed, place);
      return new PlaceClient({ client: login, ...lane, account: name, region: place.region });
    };
    const connection = connect(name, {
      client,
      login,
      clock: this.#clock,
      environment: this.#environment,
      registryNow: ({ region }) => this.registryNow(name, region),
      guard: this.#guard,
    });
    const renewed: Account = { ...shared, connection };
    this.#accounts.set(name, renewed);
    return renewed;
  }
}

/** @throws RegistryError InvalidRequest */
function placeOf({ name, credentials: { places } }: AccountCredentials, region: string): Place {
  const place = places.resolve(region);
  if (place) return place;
  const known = places.all.map((each) => each.region).join(', ') || 'none';
  throw new RegistryError('InvalidRequest', `account ${name} has no region ${region}; it has ${known}`);
}
