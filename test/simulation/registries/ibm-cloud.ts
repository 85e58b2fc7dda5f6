import type { Access } from '../../../src/api/registry-token.ts';
import type { Clock } from '../../../src/common/clock.ts';
import type { HttpRequest } from '../../../src/registry/http/http-client.ts';
import { IamState, type Key } from '../../../sandbox/registries/ibm-cloud/iam-state.ts';
import { IbmCloud as Fake } from '../../../sandbox/registries/ibm-cloud/ibm-cloud.ts';
import { pathsOf, type Operation } from '../../../sandbox/registries/ibm-cloud/operations.ts';
import { IamProblems } from '../../../sandbox/registries/ibm-cloud/problems.ts';
import type { Answer, Request } from '../../../sandbox/registries/shared/message.ts';
import type { Dice } from '../dice.ts';
import { ACCOUNT_NAMES, accountIdOf, API_KEYS, type AccountName } from './api-keys.ts';
import {
  describedIn,
  marked,
  operationIn,
  requestOf,
  type As,
  type Gatekeeper,
  type Holder,
  type Inquiry,
  type Observer,
  type Possession,
  type Provider,
  type Purpose,
  type TokenEvent,
  type Unsent,
  type Whereabouts,
} from './provider.ts';
import { NOWHERE, REGIONS, REGISTRIES, type RegionDefinition } from './regions.ts';

const PATHS = pathsOf(new IamProblems(() => ''), () => ({ status: 404, headers: {}, body: '' }));
const PURPOSES: Partial<Record<Operation, Purpose>> = {
  exchange: 'login',
  mint: 'mint',
  createGroup: 'found',
  createServiceId: 'found',
  createPolicy: 'found',
  revoke: 'revoke',
  deleteServiceId: 'revoke',
  deletePolicy: 'revoke',
};
/** Bytes of which the value of a key is made. */
const VALUE_SIZE = 33;
const MINUTE = 60_000;
const GROUP = 'registry-token-operator';

/** An account of IBM Cloud. */
interface Account {
  id: string;
  /** Of its IAM. */
  host: string;
  /** Of the administrator, on which all keys are; undefined: the operator makes its own. */
  serviceId: string | undefined;
  iam: Fake;
  state: IamState;
}

export interface IbmCloudOptions {
  clock: Clock;
  dice: Dice;
  observer: Observer;
  /** Whether all keys are on a service ID of the administrator's. */
  sharesServiceId: boolean;
  domain: string;
}

/** IBM Cloud with IAM, which lags as the seed has it, and the registry's regions. Each account has an IAM endpoint of its own. */
export class IbmCloud implements Provider, Gatekeeper {
  readonly hasRegions = true;
  readonly readsBack = false;
  readonly access: readonly Access[];
  readonly scopes: readonly string[];
  readonly isOfOneName = false;
  readonly lifetimes = ['2h', '7h30s', '24h', '30h'];
  readonly neverExpires = true;
  readonly sessions = undefined;
  readonly granularity = MINUTE;
  readonly gatekeeper: Gatekeeper = this;
  readonly refusal = 400;
  readonly givesNothingToBadCredentials = false;
  readonly apiHosts: readonly string[];
  readonly doors: readonly string[];
  readonly #domain: string;
  readonly #clock: Clock;
  readonly #accounts: readonly Account[];
  /** Identifiers of keys by their values. */
  readonly #ids = new Map<string, string>();
  readonly #observer: Observer;

  constructor({ clock, dice, observer, sharesServiceId, domain }: IbmCloudOptions) {
    this.#clock = clock;
    this.#observer = observer;
    this.#domain = domain;
    // Its policies say what every key can do.
    this.access = sharesServiceId ? [dice.pick(['ReadOnly', 'ReadWrite'])] : ['ReadOnly', 'ReadWrite'];
    this.scopes = sharesServiceId ? [] : ['team-a', 'team-b', 'shared'];
    this.doors = REGISTRIES.map((registry) => this.#hostOf(registry));
    const lag = { reading: dice.pick([0, 0, 3_000, 20_000]), policy: dice.pick([0, 0, 20_000, 240_000]) };
    this.#accounts = ACCOUNT_NAMES.map((name): Account => {
      const id = accountIdOf(name);
      const state = new IamState(id);
      Object.assign(state.lag, lag);
      const random = marked(dice.fork().bytes, VALUE_SIZE);
      const iam = new Fake({ clock, state, region: REGIONS[0], random });
      for (const { key, accountId } of API_KEYS) if (accountId === id) iam.addAdministrator(key);
      const serviceId = sharesServiceId ? addServiceId(state, this.access) : undefined;
      const account = { id, host: `iam.${id}.${domain}`, serviceId, iam, state };
      iam.on('issued', (event) => {
        this.#ids.set(state.keys.get(event.id)?.value ?? '', event.id);
        observer.issued(this.#eventOf(account, event));
      });
      iam.on('revoked', (event) => observer.revoked(this.#eventOf(account, event)));
      return account;
    });
    this.apiHosts = this.#accounts.map(({ host }) => host);
  }

  /** How many keys the account has at IAM, and may have, where one service ID has all. */
  keysOf(account: AccountName): { count: number; most: number } | undefined {
    const { serviceId, state } = this.#accountOf(account);
    if (serviceId === undefined) return undefined;
    const keys = [...state.keys.values()].filter(({ iamId }) => iamId === `iam-${serviceId}`);
    const count = keys.filter(({ deletedAt }) => deletedAt === undefined).length;
    return { count, most: state.quotas.keysPerIdentity };
  }

  #accountOf(name: AccountName): Account {
    const account = this.#accounts.find(({ id }) => id === accountIdOf(name));
    if (!account) throw new Error(`there is no account ${name}`);
    return account;
  }

  #hostOf(registry: string): string {
    return `${registry}.icr.${this.#domain}`;
  }

  #definitionOf(name: string): RegionDefinition {
    return { name, host: this.#hostOf(name) };
  }

  whereabouts(account: AccountName): Whereabouts {
    const { host, serviceId } = this.#accountOf(account);
    const [serviceIdAccess = 'ReadOnly'] = this.access;
    return {
      ibmCloud: { iamEndpoint: `https://${host}`, ...(serviceId && { serviceId, serviceIdAccess }) },
      regions: REGIONS.map((name) => this.#definitionOf(name)),
    };
  }

  move(dice: Dice, account: AccountName, { regions = [] }: Whereabouts): Whereabouts {
    const edited = regions.map((region) => ({ ...region }));
    const region = dice.pick(edited);
    const iamEndpoint = dice.pick([`https://${this.#accountOf(account).host}`, `https://iam.${NOWHERE}`]);
    return dice.pick([
      () => ({ regions: Object.assign(region, { host: dice.pick([NOWHERE, ...this.doors]) }) && edited }),
      () => ({ ibmCloud: { iamEndpoint } }),
      () => ({ regions: Object.assign(region, this.#definitionOf(region.name)) && edited }),
    ])();
  }

  credentials(key: string): Record<string, string> {
    return { apikey: key };
  }

  inquire(request: Unsent): Inquiry {
    const operation = operationIn(PATHS, request);
    const purpose = PURPOSES[operation] ?? 'look';
    return { operation, purpose, ...(purpose === 'mint' && { description: describedIn(request.body) }) };
  }

  handle(request: HttpRequest): Promise<Answer> {
    return this.#send(this.#at(request.url), requestOf(request));
  }

  refuse(request: HttpRequest, status: number, retryAfter?: number): Promise<Answer> {
    const { operation } = this.inquire(request);
    const fault = { operation, kind: 'status', status, times: 1 } as const;
    this.#at(request.url).iam.faults.add({ ...fault, ...(retryAfter && { retryAfter }) });
    return this.handle(request);
  }

  tokenOf(password: string): string | undefined {
    return this.#ids.get(password);
  }

  /** A key whose policies are not in effect yet is refused. */
  holder(host: string, username: string, password: string): Holder | undefined {
    const found = username === 'iamapikey' ? this.#find(this.#ids.get(password)) : undefined;
    if (!found) return undefined;
    const { account, key } = found;
    const actions = (name: string): string[] => {
      const roles = account.state.rolesOn(key.iamId, registryOf(host), name, this.#clock.now());
      return roles.has('Writer') ? ['pull', 'push'] : roles.has('Reader') ? ['pull'] : [];
    };
    return scopeOf(account.state, key).some((name) => actions(name).length > 0) ? { actions } : undefined;
  }

  accepts(host: string, id: string): boolean {
    const found = this.#find(id);
    if (!found) return false;
    const { account, key } = found;
    const names = scopeOf(account.state, key);
    const isReader = (name: string): boolean =>
      account.state.rolesOn(key.iamId, registryOf(host), name, this.#clock.now()).has('Reader');
    return names.length > 0 && names.every(isReader);
  }

  tokens(): Possession[] {
    const now = this.#clock.now();
    return this.#accounts.flatMap((account) =>
      [...account.state.keys.values()]
        .filter((key) => account.state.isAlive(key, now) && !account.state.administrators.has(key.iamId))
        .map((key) => possession(account, key)),
    );
  }

  remains(): Possession[] {
    return this.#accounts.flatMap((account) => {
      const { serviceIds, policies, administrators } = account.state;
      const isGiven = (iamId: string): boolean =>
        administrators.has(iamId) || iamId === `iam-${account.serviceId}`;
      const identities = [...serviceIds.values()].filter(({ id }) => !isGiven(`iam-${id}`));
      return [...identities, ...[...policies.values()].filter(({ iamId }) => !isGiven(iamId))]
        .filter(({ deletedAt }) => deletedAt === undefined)
        .map((each) => possession(account, each));
    });
  }

  async takeAway(id: string, as: As): Promise<void> {
    for (const account of this.#accounts) await this.#ask(account, 'DELETE', `/v1/apikeys/${id}`, as);
  }

  /** In the operator's own group, as those of another cluster are. */
  async addTokensOfOthers(descriptions: readonly string[], as: As): Promise<void> {
    for (const account of this.#accounts) {
      const { state, id: account_id } = account;
      const name = GROUP;
      if (![...state.groups.values()].some((group) => group.name === name))
        await this.#ask(account, 'POST', '/v1/serviceid_groups', as, { account_id, name });
      const [group] = state.groups.values();
      for (const description of descriptions) {
        const common = {
          account_id,
          name: 'others',
          description: description.replace(/:\d+\]$/, ':spec-0123]'),
        };
        const body = { ...common, group_id: group?.id };
        const made = (await this.#ask(account, 'POST', '/v1/serviceids', as, body)) as { iam_id: string };
        const key = { account_id, iam_id: made.iam_id, name: 'others', description };
        await this.#ask(account, 'POST', '/v1/apikeys', as, key);
      }
    }
  }

  async #ask(account: Account, method: string, path: string, as: As, body?: object): Promise<unknown> {
    const { id, iam } = account;
    const key = API_KEYS.find(({ accountId }) => accountId === id)?.key ?? '';
    const form = new URLSearchParams({ grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey: key });
    const exchange = await iam.handle({
      method: 'POST',
      path: '/identity/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    });
    const { access_token: bearer } = JSON.parse(exchange.body) as { access_token: string };
    const headers = { authorization: `Bearer ${bearer}` };
    const request = { method, path, headers, body: body ? JSON.stringify(body) : '' };
    const answer = await as(() => this.#send(account, request));
    return answer.body === '' ? undefined : (JSON.parse(answer.body) as unknown);
  }

  /** Tells of a service ID that comes of a request. */
  #send(account: Account, request: Request): Promise<Answer> {
    const { serviceIds } = account.state;
    const count = serviceIds.size;
    const answer = account.iam.handle(request);
    const created = [...serviceIds.values()].slice(count);
    for (const serviceId of created) this.#observer.founded(possession(account, serviceId));
    return answer;
  }

  #at({ host }: URL): Account {
    const account = this.#accounts.find((each) => each.host === host);
    if (!account) throw new Error(`there is no IAM at ${host}`);
    return account;
  }

  /** A key that lives. */
  #find(id: string | undefined): { account: Account; key: Key } | undefined {
    for (const account of this.#accounts) {
      const key = account.state.keys.get(id ?? '');
      if (key && account.state.isAlive(key, this.#clock.now())) return { account, key };
    }
    return undefined;
  }

  #eventOf(account: Account, key: Omit<Key, 'value'> & { time: number }): TokenEvent {
    const { state } = account;
    const { expiresAt, time } = key;
    const policies = policiesOf(state, key);
    const isWriter = policies.some(({ roles }) => roles.includes('Writer'));
    const scope = policies.flatMap(({ attributes }) => attributes.resource ?? []).sort();
    const access = isWriter ? 'ReadWrite' : 'ReadOnly';
    return { ...possession(account, key), access, scope, expiresAt, time };
  }
}

const registryOf = (host: string): string => host.replace(/\..*/s, '');

function policiesOf(
  { policies }: IamState,
  { iamId }: Pick<Key, 'iamId'>,
): { roles: string[]; attributes: Readonly<Record<string, string>> }[] {
  return [...policies.values()].filter((each) => each.iamId === iamId && each.deletedAt === undefined);
}

/** Names of what a key is for; one that stands for all, where it is for all. */
function scopeOf(state: IamState, key: Pick<Key, 'iamId'>): string[] {
  return policiesOf(state, key).map(({ attributes }) => attributes.resource ?? 'anything');
}

function possession(
  { id: account, host }: Account,
  { id, description }: { id: string; description: string },
): Possession {
  return { id, description, account, endpoint: `https://${host}` };
}

/** A service ID of the administrator's, whose policy has been in effect for long. @returns its id */
function addServiceId(state: IamState, access: readonly Access[]): string {
  const id = `ServiceId-of-${state.accountId}`;
  const common = { description: 'for the operator', createdAt: 0, deletedAt: undefined };
  state.serviceIds.set(id, { id, name: 'operator', groupId: undefined, locked: false, ...common });
  const roles = access.includes('ReadWrite') ? ['Reader', 'Writer'] : ['Reader'];
  const policy = { id: 'policy-of-the-administrator', iamId: `iam-${id}`, roles, attributes: {}, ...common };
  state.policies.set(policy.id, policy);
  return id;
}
