import type { Clock } from '../../../src/common/clock.ts';
import type { HttpRequest } from '../../../src/registry/http/http-client.ts';
import type { User } from '../../../sandbox/registries/harbor/callers.ts';
import { Harbor as Fake, type RobotEvent } from '../../../sandbox/registries/harbor/harbor.ts';
import { pathsOf, type Operation } from '../../../sandbox/registries/harbor/operations.ts';
import { allows } from '../../../sandbox/registries/harbor/permissions.ts';
import { DAY, fullName, type Robot } from '../../../sandbox/registries/harbor/robot.ts';
import type { Answer } from '../../../sandbox/registries/shared/message.ts';
import type { Dice } from '../dice.ts';
import { API_KEYS, type AccountName } from './api-keys.ts';
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
import { NOWHERE } from './regions.ts';

/** The first is the default account's, the second the other's; no account leads to the third at first. */
const HARBORS = [1, 2, 3];
const HARBOR_OF: Readonly<Record<AccountName, number>> = { default: 1, other: 2 };
const hostOf = (harbor: string): string => `${harbor}.test`;
const apiHostOf = (harbor: string): string => `core.${harbor}.test`;
const endpointOf = (harbor: string): string => `https://${apiHostOf(harbor)}`;
const blockOf = (harbor: string): { url: string; host: string } => ({
  url: endpointOf(harbor),
  host: hostOf(harbor),
});
const none = (): Answer => ({ status: 404, headers: {}, body: '' });
const PATHS = pathsOf(none, none);
const PURPOSES: Partial<Record<Operation, Purpose>> = { user: 'login', mint: 'mint', revoke: 'revoke' };
/** Bytes of which a robot's secret is made. */
const SECRET_SIZE = 24;
const PROJECTS = ['team-a', 'team-b', 'shared'];
/** Who acts for the people of the simulation. */
const ROOT = { username: 'root', password: 'of-the-people', administrator: true, projects: [] };
/** What docs/registries/harbor.md gives a robot. */
const ROBOT_PERMISSIONS: Robot['permissions'] = [
  {
    kind: 'system',
    namespace: '/',
    access: ['create', 'read', 'list', 'delete'].map((action) => ({ resource: 'robot', action })),
  },
  {
    kind: 'project',
    namespace: '*',
    access: [
      ...['create', 'read', 'list', 'delete'].map((action) => ({ resource: 'robot', action })),
      { resource: 'project', action: 'read' },
      { resource: 'repository', action: 'pull' },
      { resource: 'repository', action: 'push' },
    ],
  },
];

/** Who an account is at Harbor. */
export type HarborCaller = 'administrator' | 'project administrator' | 'robot';

export interface HarborOptions {
  clock: Clock;
  dice: Dice;
  observer: Observer;
  caller: HarborCaller;
  /** Begins the names of its hosts. */
  name: string;
  /** Ids of robots are above it. */
  lastId: number;
}

type AnyRobot = Omit<Robot, 'secret'>;

/** Harbors with projects and robots, each with ids of its own. */
export class Harbors implements Provider, Gatekeeper {
  readonly hasRegions = false;
  readonly readsBack = false;
  readonly access = ['ReadOnly', 'ReadWrite'] as const;
  readonly scopes = PROJECTS;
  readonly isOfOneName: boolean;
  readonly lifetimes = ['2h', '10h', '24h', '30h'];
  readonly neverExpires = true;
  readonly sessions = undefined;
  readonly granularity = DAY;
  readonly gatekeeper: Gatekeeper = this;
  readonly refusal = 401;
  readonly givesNothingToBadCredentials = true;
  readonly apiHosts: readonly string[];
  readonly doors: readonly string[];
  readonly #harbors: readonly string[];
  readonly #caller: HarborCaller;
  /** Robots that accounts work with. */
  readonly #callers = new Set<string>();
  readonly #clock: Clock;
  readonly #fakes: ReadonlyMap<string, Fake>;
  /** Identifiers of robots by their secrets. */
  readonly #ids = new Map<string, string>();
  #others = 0;

  constructor({ clock, dice, observer, caller, name, lastId }: HarborOptions) {
    this.#clock = clock;
    this.#caller = caller;
    // Robots of several projects, and of all, are the system's.
    this.isOfOneName = caller === 'project administrator';
    this.#harbors = HARBORS.map((number) => `${name}-${number}`);
    this.apiHosts = this.#harbors.map(apiHostOf);
    this.doors = this.#harbors.map(hostOf);
    const users = [ROOT, ...(caller === 'robot' ? [] : API_KEYS.map(({ key }) => this.#userOf(key)))];
    this.#fakes = new Map(
      this.#harbors.map((harbor, at) => {
        const random = marked(dice.fork().bytes, SECRET_SIZE);
        const first = lastId + at * 10_000;
        const fake = new Fake({ clock, projects: PROJECTS, users, random, lastId: first });
        if (caller === 'robot') for (const { key } of API_KEYS) this.#callers.add(addRobot(fake, key));
        fake.on('issued', (robot) => observer.issued(eventOf(harbor, robot)));
        fake.on('revoked', (robot) => observer.revoked(eventOf(harbor, robot)));
        return [harbor, fake];
      }),
    );
  }

  whereabouts(account: AccountName): Whereabouts {
    return { harbor: blockOf(this.#harborOf(account)) };
  }

  move(dice: Dice, account: AccountName): Whereabouts {
    const harbor = blockOf(this.#harborOf(account));
    const other = blockOf(dice.pick(this.#harbors));
    return {
      harbor: dice.pick([
        { ...harbor, host: dice.pick([NOWHERE, other.host]) },
        { ...harbor, url: dice.pick([`https://core.${NOWHERE}`, other.url]) },
        other,
        { url: `https://core.${NOWHERE}`, host: NOWHERE },
        harbor,
      ]),
    };
  }

  credentials(key: string): Record<string, string> {
    const number = numberOf(key);
    const username = this.#caller === 'robot' ? `robot$operator-${number}` : `operator-${number}`;
    return { username, password: key };
  }

  #userOf(key: string): Omit<User, 'id'> {
    const administrator = this.#caller === 'administrator';
    return { username: `operator-${numberOf(key)}`, password: key, administrator, projects: PROJECTS };
  }

  #harborOf(account: AccountName): string {
    return this.#harbors[HARBOR_OF[account] - 1] ?? '';
  }

  inquire(request: Unsent): Inquiry {
    const operation = operationIn(PATHS, request);
    const purpose = PURPOSES[operation] ?? 'look';
    return { operation, purpose, ...(purpose === 'mint' && { description: describedIn(request.body) }) };
  }

  async handle(request: HttpRequest): Promise<Answer> {
    const answer = await this.#at(request.url).handle(requestOf(request));
    if (this.inquire(request).operation === 'mint' && answer.status === 201) {
      const { id, secret } = JSON.parse(answer.body) as { id: number; secret: string };
      this.#ids.set(secret, String(id));
    }
    return answer;
  }

  refuse(request: HttpRequest, status: number, retryAfter?: number): Promise<Answer> {
    const { operation } = this.inquire(request);
    const fault = { operation, kind: 'status', status, times: 1 } as const;
    this.#at(request.url).faults.add({ ...fault, ...(retryAfter && { retryAfter }) });
    return this.handle(request);
  }

  tokenOf(password: string): string | undefined {
    return this.#ids.get(password);
  }

  holder(host: string, username: string, password: string): Holder | undefined {
    const robot = this.#find(host, this.#ids.get(password));
    if (!robot || fullName(robot, 'robot$') !== username) return undefined;
    return { actions: (name) => ['pull', 'push'].filter((action) => may(robot, name, action)) };
  }

  accepts(host: string, id: string): boolean {
    const robot = this.#find(host, id);
    return robot?.permissions.every(({ namespace }) => may(robot, namespace, 'pull')) ?? false;
  }

  tokens(): Possession[] {
    return this.#robots().filter(({ isAlive }) => isAlive);
  }

  /** Harbor does not delete robots that expired. */
  remains(): Possession[] {
    return this.#robots().filter(({ isAlive }) => !isAlive);
  }

  async takeAway(id: string, as: As): Promise<void> {
    for (const fake of this.#fakes.values()) await ask(fake, 'DELETE', `/api/v2.0/robots/${id}`, as);
  }

  async addTokensOfOthers(descriptions: readonly string[], as: As): Promise<void> {
    for (const fake of this.#fakes.values()) {
      for (const description of descriptions) {
        const [project = ''] = PROJECTS;
        const name = `others-${++this.#others}`;
        const isOfProject = this.#others % 2 === 0;
        const access = [{ resource: 'repository', action: 'pull' }];
        const permissions = [{ kind: 'project', namespace: isOfProject ? project : '*', access }];
        const level = isOfProject ? 'project' : 'system';
        const robot = { name, description, level, duration: -1, permissions };
        await ask(fake, 'POST', '/api/v2.0/robots', as, robot);
      }
    }
  }

  #at({ host }: URL): Fake {
    const fake = [...this.#fakes].find(([harbor]) => apiHostOf(harbor) === host)?.[1];
    if (!fake) throw new Error(`there is no Harbor at ${host}`);
    return fake;
  }

  /** A robot that lives. */
  #find(host: string, id: string | undefined): AnyRobot | undefined {
    const fake = [...this.#fakes].find(([harbor]) => hostOf(harbor) === host)?.[1];
    return fake?.robots().find((robot) => String(robot.id) === id && this.#isAlive(robot));
  }

  #isAlive({ disabled, expiresAt }: AnyRobot): boolean {
    return !disabled && (expiresAt ?? Infinity) > this.#clock.now();
  }

  #robots(): (Possession & { isAlive: boolean })[] {
    return [...this.#fakes].flatMap(([harbor, fake]) =>
      fake
        .robots()
        .filter(({ id }) => !this.#callers.has(String(id)))
        .map((robot) => ({ ...possession(harbor, robot), isAlive: this.#isAlive(robot) })),
    );
  }
}

async function ask(fake: Fake, method: string, path: string, as: As, body?: object): Promise<void> {
  const basic = Buffer.from(`${ROOT.username}:${ROOT.password}`).toString('base64');
  const headers = { authorization: `Basic ${basic}` };
  await as(() => fake.handle({ method, path, headers, body: body ? JSON.stringify(body) : '' }));
}

/** The number of a key that there is, or that of the first. */
function numberOf(key: string): number {
  return Math.max(
    0,
    API_KEYS.findIndex((each) => each.key === key),
  );
}

/** A robot for an account to work with. @returns its id */
function addRobot(fake: Fake, key: string): string {
  const { id } = fake.addRobot({
    name: `operator-${numberOf(key)}`,
    project: undefined,
    description: 'for the operator',
    level: 'system',
    duration: -1,
    expiresAt: null,
    disabled: false,
    permissions: ROBOT_PERMISSIONS,
    secret: key,
  });
  return String(id);
}

function may({ permissions }: AnyRobot, project: string, action: string): boolean {
  return allows(permissions, 'project', project, 'repository', action);
}

function possession(
  harbor: string,
  { id, description }: { id: number | string; description: string },
): Possession {
  return { id: String(id), description, account: undefined, endpoint: endpointOf(harbor) };
}

function eventOf(harbor: string, robot: RobotEvent): TokenEvent {
  const { permissions, expiresAt, time } = robot;
  const isWriter = permissions.some(({ access }) => access.some(({ action }) => action === 'push'));
  const names = permissions.map(({ namespace }) => namespace).filter((name) => name !== '*');
  const access = isWriter ? 'ReadWrite' : 'ReadOnly';
  return { ...possession(harbor, robot), access, scope: names.sort(), expiresAt, time };
}
