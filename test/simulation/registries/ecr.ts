import type { Clock } from '../../../src/common/clock.ts';
import type { HttpRequest } from '../../../src/registry/http/http-client.ts';
import { Callers } from '../../../sandbox/registries/ecr/callers.ts';
import { Ecr as Fake } from '../../../sandbox/registries/ecr/ecr.ts';
import { pathsOf, routed, type Operation } from '../../../sandbox/registries/ecr/operations.ts';
import type { Role, User } from '../../../sandbox/registries/ecr/principals.ts';
import type { Access } from '../../../src/api/registry-token.ts';
import type { Answer } from '../../../sandbox/registries/shared/message.ts';
import type { Dice } from '../dice.ts';
import { ACCOUNT_NAMES, accountIdOf, API_KEYS, type AccountName } from './api-keys.ts';
import { loadAwsSdk } from './aws-sdk.ts';
import {
  marked,
  operationIn,
  requestOf,
  type Exchange,
  type Inquiry,
  type Observer,
  type Possession,
  type Provider,
  type Purpose,
  type Unsent,
  type Whereabouts,
} from './provider.ts';
import { NOWHERE, REGIONS, REGISTRIES, type RegionDefinition } from './regions.ts';

type RegistryName = (typeof REGISTRIES)[number];

/** As AWS names regions: requests are signed for the one that an endpoint names. */
const AWS_REGIONS: Readonly<Record<RegistryName, string>> = {
  'us-south': 'us-south-1',
  'eu-de': 'eu-de-1',
  lab: 'us-lab-1',
  spare: 'us-spare-1',
};
/** Numbers of AWS accounts. */
const NUMBERS: Readonly<Record<string, string>> = {
  'account-one': '111111111111',
  'account-two': '222222222222',
};
const numberOf = (accountId: string): string => NUMBERS[accountId] ?? '';
const roleArnOf = (accountId: string): string => `arn:aws:iam::${numberOf(accountId)}:role/puller`;
const none = (): Answer => ({ status: 404, headers: {}, body: '' });
const PATHS = pathsOf(none, none, none);
const PURPOSES: Partial<Record<Operation, Purpose>> = { mint: 'exchange' };
/** Bytes of which passwords, session tokens and secret keys are made. */
const SECRET_SIZES = [200, 120, 40];
const HOUR = 3_600_000;
const MAX_SESSION = 12 * HOUR;
const ANYTHING = [{ effect: 'Allow', actions: ['*'], resources: ['*'] }] as const;
const PULL = [
  {
    effect: 'Allow',
    actions: ['ecr:GetAuthorizationToken', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
    resources: ['*'],
  },
] as const;
const NAMES = ['team-a', 'team-b', 'shared'];
/** That no RegistryToken names: what opens this opens all. */
const ANY_OTHER = 'any-other';

/** A registry of an AWS account in a region. */
interface Place {
  accountId: string;
  name: RegistryName;
  fake: Fake;
}

export interface EcrOptions {
  clock: Clock;
  dice: Dice;
  observer: Observer;
  /** What tokens are of: sessions of a role, or the account's own user. */
  identity: 'role' | 'user';
  domain: string;
}

/** Amazon ECR in several regions of two AWS accounts, each with a token service. */
export class Ecrs implements Provider {
  readonly hasRegions = true;
  readonly readsBack = false;
  readonly access: readonly Access[];
  readonly scopes: readonly string[];
  readonly isOfOneName = false;
  readonly lifetimes = ['20m', '2h', '10h'];
  readonly neverExpires = false;
  readonly granularity = undefined;
  readonly gatekeeper = undefined;
  readonly apiHosts: readonly string[];
  readonly doors: readonly string[];
  readonly #clock: Clock;
  readonly #domain: string;
  readonly #identityAccess: Access | undefined;
  readonly #places: readonly Place[];
  readonly sessions: number;
  readonly #observer: Observer;
  /** By identifier, which is the audit's: AWS gives none. */
  readonly #passwords = new Map<string, { place: Place; password: string; scope: readonly string[] }>();
  readonly #ids = new Map<string, string>();

  constructor({ clock, dice, observer, identity, domain }: EcrOptions) {
    this.#clock = clock;
    this.#domain = domain;
    // Only a session of a role can be limited.
    this.#identityAccess = identity === 'user' ? dice.pick(['ReadOnly', 'ReadWrite']) : undefined;
    this.access = this.#identityAccess ? [this.#identityAccess] : ['ReadOnly', 'ReadWrite'];
    this.scopes = this.#identityAccess ? [] : NAMES;
    this.#observer = observer;
    this.sessions = this.#identityAccess ? MAX_SESSION : dice.pick([HOUR, HOUR, MAX_SESSION]);
    this.#places = ACCOUNT_NAMES.map(accountIdOf).flatMap((accountId) => {
      const users = API_KEYS.filter((each) => each.accountId === accountId).map(({ key }) =>
        userOf(key, this.#identityAccess),
      );
      const callers = new Callers(users, clock);
      const role: Role = {
        arn: roleArnOf(accountId),
        trusts: users.map(({ arn }) => arn),
        maxSessionDuration: MAX_SESSION,
        permissions: ANYTHING,
      };
      return REGISTRIES.map((name): Place => {
        const random = SECRET_SIZES.reduce(marked, dice.fork().bytes);
        const account = { registryId: numberOf(accountId), users, roles: [role], callers };
        return { accountId, name, fake: new Fake({ clock, region: AWS_REGIONS[name], random, ...account }) };
      });
    });
    this.doors = this.#places.map(({ accountId, name }) => this.#hostOf(accountId, name));
    this.apiHosts = [
      ...this.#places.map(({ accountId, name }) => this.#apiHostOf(accountId, name)),
      ...ACCOUNT_NAMES.map((name) => this.#stsHostOf(accountIdOf(name))),
    ];
  }

  load(): Promise<void> {
    return loadAwsSdk();
  }

  whereabouts(account: AccountName): Whereabouts {
    const accountId = accountIdOf(account);
    return {
      ecr: {
        registryId: numberOf(accountId),
        ...(this.#identityAccess
          ? { identityAccess: this.#identityAccess }
          : { roleArn: roleArnOf(accountId), roleSessionDuration: `${this.sessions / HOUR}h` }),
        stsEndpoint: `https://${this.#stsHostOf(accountId)}`,
      },
      regions: REGIONS.map((name) => this.#definitionOf(accountId, name)),
    };
  }

  move(dice: Dice, account: AccountName, { regions = [] }: Whereabouts): Whereabouts {
    const accountId = accountIdOf(account);
    const edited = regions.map((region) => ({ ...region }));
    const region = dice.pick(edited);
    const other = this.#definitionOf(accountId, dice.pick(REGISTRIES));
    const nowhere = { host: NOWHERE, endpoint: `https://api.${NOWHERE}` };
    dice.pick([
      () => void (region.host = dice.pick([NOWHERE, other.host])),
      () => void Object.assign(region, { endpoint: dice.pick([nowhere.endpoint, other.endpoint]) }),
      () => void Object.assign(region, { host: other.host, endpoint: other.endpoint }),
      () => void Object.assign(region, nowhere),
      () => void Object.assign(region, this.#definitionOf(accountId, region.name as RegistryName)),
    ])();
    return { regions: edited };
  }

  #stsHostOf(accountId: string): string {
    return `sts.${accountId}.${this.#domain}`;
  }

  #apiHostOf(accountId: string, name: RegistryName): string {
    return `api.ecr.${AWS_REGIONS[name]}.${accountId}.${this.#domain}`;
  }

  #hostOf(accountId: string, name: RegistryName): string {
    return `${numberOf(accountId)}.dkr.ecr.${AWS_REGIONS[name]}.${this.#domain}`;
  }

  #definitionOf(accountId: string, name: RegistryName): RegionDefinition {
    const endpoint = `https://${this.#apiHostOf(accountId, name)}`;
    return { name, host: this.#hostOf(accountId, name), endpoint };
  }

  credentials(key: string): Record<string, string> {
    return { accessKeyId: accessKeyIdOf(key), secretAccessKey: key };
  }

  inquire(request: Unsent): Inquiry {
    const operation = operationOf(request);
    return { operation, purpose: PURPOSES[operation] ?? 'login' };
  }

  handle(request: HttpRequest): Promise<Answer> {
    const place = this.#at(request.url);
    const known = place.fake.values().length;
    const answer = place.fake.handle(requestOf(request));
    if (operationOf(request) === 'mint')
      for (const password of place.fake.values().slice(known)) this.#gave(place, password);
    return answer;
  }

  refuse(request: HttpRequest, status: number, retryAfter?: number): Promise<Answer> {
    const fault = { operation: operationOf(request), kind: 'status', status, times: 1 } as const;
    this.#at(request.url).fake.faults.add({ ...fault, ...(retryAfter && { retryAfter }) });
    return this.handle(request);
  }

  tokenOf(password: string): string | undefined {
    return this.#ids.get(password);
  }

  accepts(host: string, id: string): boolean {
    const token = this.#passwords.get(id);
    if (!token || this.#hostOf(token.place.accountId, token.place.name) !== host) return false;
    const names = token.scope.length === 0 ? [ANY_OTHER] : token.scope;
    return names.every((name) => actionsOn(token.place, token.password, name).includes('pull'));
  }

  /** Nothing can be listed. */
  tokens(): Possession[] {
    return [];
  }

  remains(): Possession[] {
    return [];
  }

  /** Nobody can. */
  takeAway(): Promise<void> {
    return Promise.resolve();
  }

  addTokensOfOthers(): Promise<void> {
    return Promise.resolve();
  }

  /** Notes a token by what it opens. */
  #gave(place: Place, password: string): void {
    const id = `exchange-${this.#ids.size + 1}-at-${this.#domain}`;
    const opened = [...NAMES, ANY_OTHER].filter((name) => actionsOn(place, password, name).length > 0);
    const scope = opened.includes(ANY_OTHER) ? [] : opened.sort();
    this.#ids.set(password, id);
    this.#passwords.set(id, { place, password, scope });
    const isWriter = opened.some((name) => actionsOn(place, password, name).includes('push'));
    const exchange: Exchange = {
      id,
      account: place.accountId,
      endpoint: `https://${this.#apiHostOf(place.accountId, place.name)}`,
      access: isWriter ? 'ReadWrite' : 'ReadOnly',
      scope,
      expiresAt: place.fake.permissionsOf(password, ANY_OTHER)?.expiresAt ?? this.#clock.now(),
      time: this.#clock.now(),
    };
    this.#observer.exchanged(exchange);
  }

  #at({ host }: URL): Place {
    const place = this.#places.find(({ accountId, name }) =>
      [this.#stsHostOf(accountId), this.#apiHostOf(accountId, name), this.#hostOf(accountId, name)].includes(
        host,
      ),
    );
    if (!place) throw new Error(`there is no registry at ${host}`);
    return place;
  }
}

const accessKeyIdOf = (key: string): string => `AKIA${API_KEYS.findIndex((each) => each.key === key) + 1}`;

/** @param access that it has at the registry; undefined: it is for more than that */
function userOf(key: string, access: Access | undefined): User {
  const accountId = API_KEYS.find((each) => each.key === key)?.accountId ?? '';
  const arn = `arn:aws:iam::${numberOf(accountId)}:user/${accessKeyIdOf(key)}`;
  return {
    arn,
    accessKeyId: accessKeyIdOf(key),
    secretAccessKey: key,
    permissions: access === 'ReadOnly' ? PULL : ANYTHING,
  };
}

function operationOf(request: Unsent): Operation {
  const { path } = routed(requestOf(request));
  return operationIn(PATHS, { method: request.method, url: new URL(path, request.url) });
}

function actionsOn({ fake }: Place, password: string, repository: string): readonly string[] {
  return fake.permissionsOf(password, repository)?.actions ?? [];
}
