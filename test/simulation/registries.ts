import type { RegistryAccount } from '../../src/api/registry-account.ts';
import type { Clock } from '../../src/common/clock.ts';
import type { HttpRequest } from '../../src/registry/http/http-client.ts';
import type { Operation } from '../../sandbox/registries/ibm-registry-tokens/operations.ts';
import type { Answer } from '../../sandbox/registries/shared/message.ts';
import type { TokenEvent } from '../../sandbox/registries/ibm-registry-tokens/events.ts';
import { TokenService } from '../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import type { Dice } from './dice.ts';
import { Door } from './door.ts';

/** A region that no account has unless it defines it. */
export const LAB = 'lab';
export const REGIONS = ['us-south', 'eu-de', LAB] as const;
export type RegionName = (typeof REGIONS)[number];
/** A registry for each region, and one that no region leads to at first. */
export const REGISTRIES = [...REGIONS, 'spare'] as const;
export type RegistryName = (typeof REGISTRIES)[number];

const IAM_HOST = 'iam.test';
export const IAM_ENDPOINT = `https://${IAM_HOST}`;
export const endpointOf = (region: string): string => `https://${apiHostOf(region)}`;
/** As it stands in image names. */
export const hostOf = (region: string): string => `${region}.registry.test`;
const apiHostOf = (region: string): string => `api.${region}.registry.test`;

/** A region as every account defines it at first. */
export function definitionOf(name: string): { name: string; host: string; endpoint: string } {
  return { name, host: hostOf(name), endpoint: endpointOf(name) };
}

/** The regions of an account at first. */
export function definitions(): { name: string; host: string; endpoint: string }[] {
  return REGIONS.map(definitionOf);
}

/** Whether the regions of accounts lead where they did at first. */
export function leadAsAtFirst(accounts: readonly RegistryAccount[]): boolean {
  return accounts
    .flatMap(({ spec }) => spec.regions ?? [])
    .every(({ name, host, endpoint }) => host === hostOf(name) && endpoint === endpointOf(name));
}

/** The API keys there are: two that belong to one account, one of another. */
export const API_KEYS = [
  { key: 'first-key-of-account-one', accountId: 'account-one' },
  { key: 'second-key-of-account-one', accountId: 'account-one' },
  { key: 'only-key-of-account-two', accountId: 'account-two' },
] as const;

type As = <T>(act: () => T) => T;

/** Who is told of what happens to tokens. */
export interface TokenObserver {
  issued: (registry: RegistryName, token: TokenEvent) => void;
  revoked: (registry: RegistryName, token: TokenEvent) => void;
}

export interface RegistriesOptions {
  clock: Clock;
  dice: Dice;
  /** Of tokens that expire, in milliseconds. */
  tokenLifetime: number;
}

/** The registries and the identity service that they share. */
export class Registries {
  /** By host of their API. */
  readonly #services: ReadonlyMap<string, TokenService>;
  readonly observers: TokenObserver[] = [];
  readonly #doors = new Map(
    REGISTRIES.map((name) => [hostOf(name), new Door(hostOf(name), (id) => this.accepts(hostOf(name), id))]),
  );

  constructor({ clock, dice, tokenLifetime }: RegistriesOptions) {
    this.#services = new Map(
      REGISTRIES.map((region) => {
        const random = dice.fork().bytes;
        const service = new TokenService({
          clock,
          apiKeys: API_KEYS,
          host: hostOf(region),
          tokenLifetime,
          random,
        });
        service.on('issued', (token) => this.observers.forEach(({ issued }) => issued(region, token)));
        service.on('revoked', (token) => this.observers.forEach(({ revoked }) => revoked(region, token)));
        return [apiHostOf(region), service];
      }),
    );
  }

  /** Every host there is. */
  get hosts(): string[] {
    return [...this.#services.keys(), ...this.#doors.keys(), IAM_HOST];
  }

  /** Whether pods can pull with a token at a host. */
  accepts(host: string, id: string): boolean {
    const name = REGISTRIES.find((each) => hostOf(each) === host);
    const service = name && this.#services.get(apiHostOf(name));
    return service?.tokens().some((token) => token.id === id) ?? false;
  }

  /** Whether there is anybody at a host. */
  isThere(host: string): boolean {
    return this.hosts.includes(host);
  }

  /** Every token that lives; its account is the registry's, not the cluster's. */
  tokens(): { id: string; description: string; region: RegistryName; account: string }[] {
    return REGISTRIES.flatMap((region) =>
      (this.#services.get(apiHostOf(region))?.tokens() ?? []).map((token) => ({ ...token, region })),
    );
  }

  handle(request: HttpRequest): Promise<Answer> {
    const { method, url, headers, body = '' } = request;
    const door = this.#doors.get(url.host);
    if (door) return Promise.resolve(door.answer(request));
    const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    return this.#service(url).handle({
      method,
      path: url.pathname + url.search,
      headers: Object.fromEntries(lowerCase) as Record<string, string>,
      body,
    });
  }

  /** Removes a token as an administrator of the registry would. @param as runs it in the administrator's name */
  async takeAway(id: string, as: As): Promise<void> {
    const paths = this.#everyAccount.map((account) => ({
      ...account,
      method: 'DELETE',
      path: `/api/v1/tokens/${id}`,
    }));
    for (const each of paths) await this.#ask(each, as);
  }

  /** Creates tokens that are none of the operator's business. */
  async addTokensOfOthers(descriptions: readonly string[], as: As): Promise<void> {
    for (const account of this.#everyAccount) {
      for (const description of descriptions) {
        const query = `permanent=true&description=${encodeURIComponent(description)}`;
        await this.#ask({ ...account, method: 'POST', path: `/api/v1/tokens?${query}` }, as);
      }
    }
  }

  get #everyAccount(): { service: TokenService; key: string; accountId: string }[] {
    const accounts = [API_KEYS[0], API_KEYS[2]];
    return [...this.#services.values()].flatMap((service) =>
      accounts.map((account) => ({ service, ...account })),
    );
  }

  async #ask(
    {
      service,
      key,
      accountId,
      method,
      path,
    }: { service: TokenService; key: string; accountId: string; method: string; path: string },
    as: As,
  ): Promise<void> {
    const form = new URLSearchParams({ grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey: key });
    const exchange = await service.handle({
      method: 'POST',
      path: '/identity/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    });
    const { access_token: bearer } = JSON.parse(exchange.body) as { access_token: string };
    const headers = { authorization: `Bearer ${bearer}`, account: accountId };
    await as(() => service.handle({ method, path, headers, body: '' }));
  }

  /** The documented answer of that status, without any effect. */
  refuse(request: HttpRequest, status: number, retryAfter?: number): Promise<Answer> {
    const operation = operationOf(request);
    if (operation === 'verify') return Promise.resolve({ status, headers: {}, body: '' });
    const service = this.#service(request.url);
    service.faults.add({ operation, kind: 'status', status, times: 1, ...(retryAfter && { retryAfter }) });
    return this.handle(request);
  }

  #service({ host }: URL): TokenService {
    // Access tokens are good in every region, whoever made them.
    const service = this.#services.get(host === IAM_HOST ? apiHostOf(REGIONS[0]) : host);
    if (!service) throw new Error(`there is no registry ${host}`);
    return service;
  }
}

/** What a request asks for. */
export function operationOf({ method, url }: Pick<HttpRequest, 'method' | 'url'>): Operation | 'verify' {
  if (url.pathname === '/v2/' || url.pathname === '/auth') return 'verify';
  if (url.pathname === '/identity/token') return 'exchange';
  if (method === 'POST') return 'mint';
  if (method === 'DELETE') return 'revoke';
  return url.pathname === '/api/v1/tokens' ? 'list' : 'read';
}
