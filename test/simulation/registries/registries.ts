import type { RegistryAccount } from '../../../src/api/registry-account.ts';
import type { Clock } from '../../../src/common/clock.ts';
import type { HttpRequest } from '../../../src/registry/http/http-client.ts';
import type { Answer } from '../../../sandbox/registries/shared/message.ts';
import type { Dice } from '../dice.ts';
import { ACCOUNT_NAMES, type AccountName } from './api-keys.ts';
import { Door } from './door.ts';
import { Ecrs } from './ecr.ts';
import { Harbors } from './harbor.ts';
import { IbmCloud } from './ibm-cloud.ts';
import { IbmRegistryTokens } from './ibm-registry-tokens.ts';
import { placesOf } from './places.ts';
import type { As, Inquiry, Observer, Possession, Provider, Unsent } from './provider.ts';

/** Back ends, each with what an account of it can be. */
export const VARIANTS = [
  'IBM registry tokens',
  'IBM Cloud',
  'IBM Cloud with one service ID',
  'Harbor as administrator',
  'Harbor as project administrator',
  'Harbor as robot',
  'Amazon ECR with a role',
  'Amazon ECR without a role',
] as const;
export type Variant = (typeof VARIANTS)[number];

/** The registry of each account. */
export type Choice = Readonly<Record<AccountName, Variant>>;

/** Both accounts are of one registry. */
export const bothOf = (name: Variant): Choice => ({ default: name, other: name });

/** Most often both accounts are of one registry. */
export function drawChoice(dice: Dice): Choice {
  const first = dice.pick(VARIANTS);
  return dice.chance(0.6) ? bothOf(first) : { default: first, other: dice.pick(VARIANTS) };
}

export interface RegistriesOptions {
  clock: Clock;
  dice: Dice;
  /** Of IBM registry tokens that expire, in milliseconds. */
  tokenLifetime: number;
  choice: Choice;
}

/** All registries that the accounts of a cluster can lead to. */
export class Registries {
  readonly choice: Choice;
  readonly observers: Observer[] = [];
  readonly #providers: ReadonlyMap<Variant, Provider>;
  readonly #doors: ReadonlyMap<string, Door>;

  constructor({ clock, dice, tokenLifetime, choice }: RegistriesOptions) {
    this.choice = choice;
    const observer: Observer = {
      exchanged: (exchange) => this.observers.forEach(({ exchanged }) => exchanged(exchange)),
      issued: (token) => this.observers.forEach(({ issued }) => issued(token)),
      revoked: (token) => this.observers.forEach(({ revoked }) => revoked(token)),
      founded: (identity) => this.observers.forEach(({ founded }) => founded(identity)),
    };
    const make = (variant: Variant): Provider => {
      const options = { clock, dice: dice.fork(), observer };
      switch (variant) {
        case 'IBM registry tokens':
          return new IbmRegistryTokens({ ...options, tokenLifetime });
        case 'IBM Cloud':
          return new IbmCloud({ ...options, sharesServiceId: false, domain: 'test' });
        case 'IBM Cloud with one service ID':
          return new IbmCloud({ ...options, sharesServiceId: true, domain: 'one-service-id.test' });
        case 'Harbor as administrator':
          return new Harbors({ ...options, caller: 'administrator', name: 'harbor', lastId: 0 });
        case 'Harbor as project administrator': {
          const caller = 'project administrator';
          return new Harbors({ ...options, caller, name: 'projects', lastId: 100_000 });
        }
        case 'Harbor as robot':
          return new Harbors({ ...options, caller: 'robot', name: 'robots', lastId: 200_000 });
        case 'Amazon ECR with a role':
          return new Ecrs({ ...options, identity: 'role', domain: 'test' });
        case 'Amazon ECR without a role':
          return new Ecrs({ ...options, identity: 'user', domain: 'no-role.test' });
      }
    };
    const names = new Set(ACCOUNT_NAMES.map((account) => choice[account]));
    this.#providers = new Map([...names].map((name) => [name, make(name)]));
    this.#doors = new Map(
      this.#all.flatMap(({ doors, gatekeeper }) =>
        gatekeeper ? doors.map((host): [string, Door] => [host, new Door(host, gatekeeper)]) : [],
      ),
    );
  }

  /** Nothing is waited for in real time from then on. */
  async load(): Promise<void> {
    for (const provider of this.#all) await provider.load?.();
  }

  get #all(): Provider[] {
    return [...this.#providers.values()];
  }

  /** The registry of an account. */
  of(account: string): Provider {
    const provider = this.#providers.get(this.choice[account as AccountName]);
    if (!provider) throw new Error(`there is no account ${account}`);
    return provider;
  }

  /** Every host there is. */
  get hosts(): string[] {
    return this.#all.flatMap(({ apiHosts, doors }) => [...apiHosts, ...doors]);
  }

  /** Whether there is anybody at a host. */
  isThere(host: string): boolean {
    return this.hosts.includes(host);
  }

  /** Whether the accounts lead where they did at first. */
  leadAsAtFirst(accounts: readonly RegistryAccount[]): boolean {
    return accounts.every(({ metadata, spec }) => {
      const first = this.of(metadata.name).whereabouts(metadata.name as AccountName);
      const places = placesOf(first);
      return placesOf(spec).every((place) =>
        places.some(
          ({ region, host, endpoint }) =>
            place.region === region && place.host === host && place.endpoint === endpoint,
        ),
      );
    });
  }

  /** Whether pods can pull with a token at a host. */
  accepts(host: string, id: string): boolean {
    return this.#all.some((provider) => provider.doors.includes(host) && provider.accepts(host, id));
  }

  /** The token that a password was ever of. */
  tokenOf(password: string): string | undefined {
    for (const provider of this.#all) {
      const id = provider.tokenOf(password);
      if (id !== undefined) return id;
    }
    return undefined;
  }

  /** Every token that lives. */
  tokens(): Possession[] {
    return this.#all.flatMap((provider) => provider.tokens());
  }

  /** What there is besides tokens that live. */
  remains(): Possession[] {
    return this.#all.flatMap((provider) => provider.remains());
  }

  inquire(request: Unsent): Inquiry {
    const { url } = request;
    if (this.#doors.has(url.host) || url.pathname === '/v2/' || url.pathname === '/auth')
      return { operation: 'verify', purpose: 'login' };
    // Nobody is there: whoever it is meant for would know what it is for.
    const provider = this.#at(url) ?? this.#all.find((each) => isMeantFor(each, request));
    return provider?.inquire(request) ?? { operation: 'unknown', purpose: 'look' };
  }

  handle(request: HttpRequest): Promise<Answer> {
    const door = this.#doors.get(request.url.host);
    return door ? Promise.resolve(door.answer(request)) : this.#provider(request.url).handle(request);
  }

  /** The documented answer of that status, without any effect. */
  refuse(request: HttpRequest, status: number, retryAfter?: number): Promise<Answer> {
    if (this.#doors.has(request.url.host)) return Promise.resolve({ status, headers: {}, body: '' });
    return this.#provider(request.url).refuse(request, status, retryAfter);
  }

  /** Removes a token as an administrator of the registry would. @param as runs it in the administrator's name */
  async takeAway(id: string, as: As): Promise<void> {
    for (const provider of this.#all) await provider.takeAway(id, as);
  }

  /** Creates tokens that are none of the operator's business. */
  async addTokensOfOthers(descriptions: readonly string[], as: As): Promise<void> {
    for (const provider of this.#all) await provider.addTokensOfOthers(descriptions, as);
  }

  #at({ host }: URL): Provider | undefined {
    return this.#all.find(
      ({ apiHosts, doors, gatekeeper }) => apiHosts.includes(host) || (!gatekeeper && doors.includes(host)),
    );
  }

  #provider(url: URL): Provider {
    const provider = this.#at(url);
    if (!provider) throw new Error(`there is no registry at ${url.host}`);
    return provider;
  }
}

function isMeantFor(provider: Provider, request: Unsent): boolean {
  try {
    provider.inquire(request);
    return true;
  } catch {
    return false;
  }
}
