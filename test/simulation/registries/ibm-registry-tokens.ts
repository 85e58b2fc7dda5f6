import { decodeJwt } from 'jose';
import type { Clock } from '../../../src/common/clock.ts';
import type { HttpRequest } from '../../../src/registry/http/http-client.ts';
import type { Operation } from '../../../sandbox/registries/ibm-registry-tokens/operations.ts';
import type { TokenEvent as Event } from '../../../sandbox/registries/ibm-registry-tokens/events.ts';
import { TokenService } from '../../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import type { Answer } from '../../../sandbox/registries/shared/message.ts';
import type { Dice } from '../dice.ts';
import { ACCOUNT_NAMES, ACCOUNTS, API_KEYS, type AccountName } from './api-keys.ts';
import {
  requestOf,
  type As,
  type Gatekeeper,
  type Holder,
  type Inquiry,
  type Observer,
  type Possession,
  type Provider,
  type TokenEvent,
  type Whereabouts,
} from './provider.ts';
import { NOWHERE, REGIONS, REGISTRIES, type RegionDefinition } from './regions.ts';

const IAM_HOST = 'iam.test';
const hostOf = (registry: string): string => `${registry}.registry.test`;
const apiHostOf = (registry: string): string => `api.${registry}.registry.test`;
const endpointOf = (registry: string): string => `https://${apiHostOf(registry)}`;
const definitionOf = (name: string): RegionDefinition => ({
  name,
  host: hostOf(name),
  endpoint: endpointOf(name),
});

export interface IbmRegistryTokensOptions {
  clock: Clock;
  dice: Dice;
  /** Of tokens that expire, in milliseconds, whatever is asked for. */
  tokenLifetime: number;
  observer: Observer;
}

/** The registries of 2017, and the identity service that they share. */
export class IbmRegistryTokens implements Provider, Gatekeeper {
  readonly hasRegions = true;
  readonly readsBack = true;
  readonly access = ['ReadOnly', 'ReadWrite'] as const;
  readonly scopes = [];
  readonly isOfOneName = false;
  readonly lifetimes = ['2h', '10h', '24h'];
  readonly neverExpires = true;
  readonly sessions = undefined;
  readonly granularity = undefined;
  readonly gatekeeper: Gatekeeper = this;
  readonly refusal = 401;
  readonly givesNothingToBadCredentials = false;
  readonly apiHosts = [...REGISTRIES.map(apiHostOf), IAM_HOST];
  readonly doors = REGISTRIES.map(hostOf);
  /** By host of their API. */
  readonly #services: ReadonlyMap<string, TokenService>;

  constructor({ clock, dice, tokenLifetime, observer }: IbmRegistryTokensOptions) {
    this.#services = new Map(
      REGISTRIES.map((registry) => {
        const options = { clock, apiKeys: API_KEYS, host: hostOf(registry), tokenLifetime };
        const service = new TokenService({ ...options, random: dice.fork().bytes });
        service.on('issued', (token) => observer.issued(eventOf(registry, token)));
        service.on('revoked', (token) => observer.revoked(eventOf(registry, token)));
        return [apiHostOf(registry), service];
      }),
    );
  }

  whereabouts(): Whereabouts {
    return {
      ibmRegistryTokens: { iamEndpoint: `https://${IAM_HOST}` },
      regions: REGIONS.map(definitionOf),
    };
  }

  move(dice: Dice, _: AccountName, { regions = [] }: Whereabouts): Whereabouts {
    const edited = regions.map((region) => ({ ...region }));
    const region = dice.pick(edited);
    const registry = dice.pick(REGISTRIES);
    dice.pick([
      () => void (region.host = dice.pick([NOWHERE, hostOf(registry)])),
      () => void (region.endpoint = dice.pick([`https://api.${NOWHERE}`, endpointOf(registry)])),
      () => Object.assign(region, { host: hostOf(registry), endpoint: endpointOf(registry) }),
      () => Object.assign(region, { host: NOWHERE, endpoint: `https://api.${NOWHERE}` }),
      () => Object.assign(region, definitionOf(region.name)),
    ])();
    return { regions: edited };
  }

  credentials(key: string): Record<string, string> {
    return { apikey: key };
  }

  inquire({ method, url }: Pick<HttpRequest, 'method' | 'url'>): Inquiry {
    const operation = operationOf({ method, url });
    if (operation === 'exchange') return { operation, purpose: 'login' };
    if (operation === 'mint')
      return { operation, purpose: 'mint', description: url.searchParams.get('description') ?? '' };
    return { operation, purpose: operation === 'revoke' ? 'revoke' : 'look' };
  }

  handle(request: HttpRequest): Promise<Answer> {
    return this.#service(request.url).handle(requestOf(request));
  }

  refuse(request: HttpRequest, status: number, retryAfter?: number): Promise<Answer> {
    const operation = operationOf(request);
    const fault = { operation, kind: 'status', status, times: 1 } as const;
    this.#service(request.url).faults.add({ ...fault, ...(retryAfter && { retryAfter }) });
    return this.handle(request);
  }

  tokenOf(password: string): string | undefined {
    try {
      return decodeJwt(password).jti;
    } catch {
      return undefined;
    }
  }

  holder(host: string, _: string, password: string): Holder | undefined {
    const id = this.tokenOf(password);
    return id !== undefined && this.accepts(host, id) ? { actions: () => ['pull', 'push'] } : undefined;
  }

  accepts(host: string, id: string): boolean {
    const registry = REGISTRIES.find((each) => hostOf(each) === host);
    const service = registry && this.#services.get(apiHostOf(registry));
    return service?.tokens().some((token) => token.id === id) ?? false;
  }

  tokens(): Possession[] {
    return REGISTRIES.flatMap((registry) =>
      (this.#services.get(apiHostOf(registry))?.tokens() ?? []).map((token) => ({
        ...token,
        endpoint: endpointOf(registry),
      })),
    );
  }

  remains(): Possession[] {
    return [];
  }

  async takeAway(id: string, as: As): Promise<void> {
    for (const each of this.#everyAccount) await ask(each, 'DELETE', `/api/v1/tokens/${id}`, as);
  }

  async addTokensOfOthers(descriptions: readonly string[], as: As): Promise<void> {
    for (const account of this.#everyAccount) {
      for (const description of descriptions) {
        const query = `permanent=true&description=${encodeURIComponent(description)}`;
        await ask(account, 'POST', `/api/v1/tokens?${query}`, as);
      }
    }
  }

  get #everyAccount(): { service: TokenService; key: string; accountId: string }[] {
    const accounts = ACCOUNT_NAMES.map((name) => API_KEYS[ACCOUNTS[name]]);
    return [...this.#services.values()].flatMap((service) =>
      accounts.map((account) => ({ service, ...account })),
    );
  }

  #service({ host }: URL): TokenService {
    // Access tokens are good in every region, whoever made them.
    const service = this.#services.get(host === IAM_HOST ? apiHostOf(REGIONS[0]) : host);
    if (!service) throw new Error(`there is no registry ${host}`);
    return service;
  }
}

async function ask(
  { service, key, accountId }: { service: TokenService; key: string; accountId: string },
  method: string,
  path: string,
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

function operationOf({ method, url }: Pick<HttpRequest, 'method' | 'url'>): Operation {
  if (url.pathname === '/identity/token') return 'exchange';
  if (!url.pathname.startsWith('/api/v1/tokens')) throw new Error(`${url.href} is no path of the API`);
  if (method === 'POST') return 'mint';
  if (method === 'DELETE') return 'revoke';
  return url.pathname === '/api/v1/tokens' ? 'list' : 'read';
}

function eventOf(registry: string, token: Event): TokenEvent {
  return { ...token, scope: [], endpoint: endpointOf(registry) };
}
