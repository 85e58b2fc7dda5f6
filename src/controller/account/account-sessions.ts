import type { Capabilities } from '../../api/capabilities.ts';
import { ACCOUNT_DEFAULTS, type RegistryAccount } from '../../api/registry-account.ts';
import type { Place } from '../../api/registry-token.ts';
import { fromTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import { providerOf, type Credentials } from '../../registry/backends.ts';
import type { AccountCredentials, PlaceState, RegistryDirectory } from '../../registry/directory.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { LoginProbe } from '../../registry/login-probe/login-probe.ts';
import { endpointForm, type Registry } from '../../registry/port.ts';
import type { Moment } from '../../token/lifecycle/clock-skew.ts';
import { describePlace, reachOf, type Leads, type Reach } from '../../token/lifecycle/place.ts';

interface Session {
  credentials: AccountCredentials | undefined;
  leads: Leads;
  /** How its registry issues tokens. */
  issue: Capabilities['issue'] | undefined;
  uid: string;
  generation: number | undefined;
  /** Why tokens can't be created with it at present. */
  problem: string | undefined;
  /** Whether new tokens are to be tried at the registry. */
  verifies: boolean;
  /** Wall-clock milliseconds. */
  changedAt: number | undefined;
  /** Distinguishes versions of the account and its credentials without holding them. */
  version: string;
}

/** What this process knows of each account: credentials to work with, and whether they do. */
export class AccountSessions {
  readonly #directory: RegistryDirectory;
  readonly #clock: Clock;
  readonly #exists: (account: string) => boolean;
  readonly #sessions = new Map<string, Session>();

  /** @param exists whether there is an account of that name */
  constructor(directory: RegistryDirectory, clock: Clock, exists: (account: string) => boolean) {
    this.#exists = exists;
    this.#directory = directory;
    this.#clock = clock;
  }

  /**
   * Takes an account's credentials into use, or notes why there are none.
   * @param version changes whenever the account's spec or its credentials do
   * @param identity whose the credentials were just seen to be, if they were
   * @returns whether that changed anything
   */
  update(
    account: RegistryAccount,
    version: string,
    credentials: Credentials | undefined,
    problem: string | undefined,
    identity: string | undefined,
  ): boolean {
    const name = account.metadata.name;
    const before = this.#sessions.get(name);
    const changed = before?.version !== version || before.problem !== problem;
    this.#sessions.set(name, {
      credentials: credentials && credentialsOf(account, credentials),
      leads: leadsOf(account, identity),
      issue: providerOf(account.spec)?.capabilities.issue,
      uid: account.metadata.uid,
      generation: account.metadata.generation,
      problem,
      verifies: (account.spec.verify ?? ACCOUNT_DEFAULTS.verify) === 'Always',
      changedAt: !changed
        ? before.changedAt
        : before
          ? this.#clock.now()
          : this.#changedBefore(account, problem),
      version,
    });
    return changed;
  }

  /** When an account that this process did not know changed: what its status says, unless that has ceased to be true. */
  #changedBefore(
    { metadata, status = {} }: RegistryAccount,
    problem: string | undefined,
  ): number | undefined {
    const same = status.observedGeneration === metadata.generation && !problem;
    return (same ? fromTime(status.readySince) : undefined) ?? this.#clock.now();
  }

  forget(name: string): void {
    this.#sessions.delete(name);
    this.#directory.forget(name);
  }

  /** Whether the account's credentials of that version are in use already. */
  uses({ metadata }: RegistryAccount, version: string): boolean {
    const session = this.#sessions.get(metadata.name);
    return session?.version === version && session.credentials !== undefined;
  }

  /** Changes whenever an account's spec or its credentials do; undefined for one that has not been looked at. */
  version(name: string): string | undefined {
    return this.#sessions.get(name)?.version;
  }

  credentials(name: string): AccountCredentials | undefined {
    return this.#sessions.get(name)?.credentials;
  }

  /** Why tokens can't be issued with an account at present; undefined when they can, or when it is not known. */
  problem(name: string): string | undefined {
    return this.#sessions.get(name)?.problem;
  }

  /** Whether the account's credentials have been looked at since the process began. */
  knows(name: string): boolean {
    return this.#sessions.has(name);
  }

  /** Whether this is the account as it was last taken into use. */
  isCurrent({ metadata }: RegistryAccount): boolean {
    const session = this.#sessions.get(metadata.name);
    return session?.uid === metadata.uid && session.generation === metadata.generation;
  }

  /** The time by the clock of an account's region, in milliseconds since 1970; by this machine's where that is not known. */
  registryNow(name: string, region: string): number {
    return this.#directory.registryNow(name, region);
  }

  /** This moment by both clocks. */
  moment({ account, region }: Pick<Issued, 'account' | 'region'>): Moment {
    return { now: this.#clock.now(), registryNow: this.registryNow(account, region) };
  }

  changedAt(name: string): number | undefined {
    return this.#sessions.get(name)?.changedAt;
  }

  /** Whose an account's credentials are at the registry; undefined: not known yet. */
  identity(name: string): string | undefined {
    return this.#sessions.get(name)?.leads.identity;
  }

  /** Where an account's region leads; undefined: there is no such region, or it is not known yet. @param region by its own name, no alias */
  leadsTo(name: string, region: string): Place | undefined {
    const { provider, regions = [], identity } = this.#sessions.get(name)?.leads ?? {};
    const endpoint = regions.find((each) => each.name === region)?.endpoint;
    if (provider === undefined || endpoint === undefined || identity === undefined) return undefined;
    return { endpoint, identity, provider };
  }

  /**
   * As `leadsTo`, for what is to be done there.
   * @throws RegistryError InvalidRequest when there is no such region; Unavailable when it is not known in which account; as `#usable`
   */
  placeOf(name: string, region: string): Place {
    this.#usable(name);
    const place = this.leadsTo(name, region);
    if (place) return place;
    if (this.identity(name) === undefined) throw accountIsUnknown(name);
    throw new RegistryError('InvalidRequest', `RegistryAccount ${name} has no region ${region}`);
  }

  /** How the registry issues at an endpoint of an account; undefined: none of its regions leads there, or it was not looked at yet. */
  issueAt({ account, place }: Pick<Issued, 'account' | 'place'>): Capabilities['issue'] | undefined {
    const { leads, issue } = this.#sessions.get(account) ?? {};
    // Whatever the place says of its back end: whoever may write a status can write that, too.
    return leads?.regions.some(({ endpoint }) => endpoint === place.endpoint) ? issue : undefined;
  }

  /** How an account leads to where a token was issued. */
  reach({ account, region, place }: Issued): Reach {
    const session = this.#sessions.get(account);
    return session ? reachOf(place, session.leads, region) : 'unknown';
  }

  /**
   * The registry where a token was issued, whatever its region is called now.
   * @throws RegistryError InvalidRequest when its account does not lead there; as `#usable`
   */
  registryOf(issued: Issued): Registry {
    const { account, place } = issued;
    const credentials = this.#usable(account);
    const reach = this.reach(issued);
    if (typeof reach === 'object') return this.#directory.registry(credentials, reach.region);
    if (reach === 'unknown') throw accountIsUnknown(account);
    throw new RegistryError(
      'InvalidRequest',
      `it was issued at ${describePlace(place)}, where RegistryAccount ${account} does not lead any more; let a region of the account lead there, or give such tokens up: list the endpoint in spec.abandonedEndpoints`,
    );
  }

  /** Whether new tokens of an account are to be tried at the registry where there is no need to. */
  verifies(name: string): boolean {
    return this.#sessions.get(name)?.verifies !== false;
  }

  /**
   * Where tokens of an account's region are tried.
   * @param host that the region is believed to have
   * @throws RegistryError Unavailable when it has another by now; as `#usable`
   */
  loginProbe(name: string, region: string, host: string): LoginProbe {
    const probe = this.#directory.loginProbe(this.#usable(name), region);
    if (probe.host === host) return probe;
    throw new RegistryError('Unavailable', `RegistryAccount ${name} has changed and was not looked at yet`);
  }

  /** How an account's region is doing; nothing is known of one that can't be asked. */
  place(name: string, region: string): PlaceState {
    const credentials = this.credentials(name);
    return credentials
      ? this.#directory.place(credentials, region)
      : { outage: undefined, backAt: undefined };
  }

  /** Lets the next request to an account's region through, though it is taken to be down. */
  tryNow(name: string, region: string): void {
    const credentials = this.credentials(name);
    if (credentials) this.#directory.tryNow(credentials, region);
  }

  /** @throws RegistryError Unavailable when there is no such account, or its credentials are not there (yet) */
  #usable(name: string): AccountCredentials {
    const credentials = this.credentials(name);
    if (!credentials) {
      const why = this.problem(name) ?? 'its credentials have not been read yet';
      const message = this.#exists(name)
        ? `RegistryAccount ${name} can't be used: ${why}`
        : `RegistryAccount ${name} does not exist, or was deleted`;
      throw new RegistryError('Unavailable', message);
    }
    return credentials;
  }
}

/** A token, or what may become one, and where. */
export interface Issued {
  account: string;
  region: string;
  place: Place;
}

/** @param identity whose its credentials are known to be at the registry */
export function leadsOf({ spec, status }: RegistryAccount, identity: string | undefined): Leads {
  const provider = providerOf(spec);
  const recorded = status?.provider?.name === provider?.name ? status?.provider?.identity : undefined;
  return {
    provider: provider?.name,
    regions: provider?.places.all.map(({ region, endpoint }) => ({ name: region, endpoint })) ?? [],
    identity: provider?.identity ?? identity ?? recorded,
    isChosen: provider?.identity !== undefined,
    abandoned: (spec.abandonedEndpoints ?? []).map(endpointForm),
  };
}

function accountIsUnknown(name: string): RegistryError {
  return new RegistryError('Unavailable', `which account RegistryAccount ${name} is for is not known yet`);
}

/** What the registries need of an account. */
export function credentialsOf(
  { metadata, spec }: RegistryAccount,
  credentials: Credentials,
): AccountCredentials {
  const { requestsPerSecond = ACCOUNT_DEFAULTS.requestsPerSecond, caBundle } = spec;
  return { name: metadata.name, credentials, caBundle: caBundle || undefined, requestsPerSecond };
}
