import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Clock } from '../../../src/common/clock.ts';
import { BearerApi, type Holder } from '../shared/bearer-api.ts';
import { BearerAuthority } from '../shared/bearer-authority.ts';
import { distributionProblems } from '../shared/distribution-problems.ts';
import { EntranceApi } from '../shared/entrance-api.ts';
import {
  RequestHandler,
  type FakeRegistry,
  type FakeRegistryEvents,
  type TokenEvent,
} from '../shared/fake-registry.ts';
import { Faults } from '../shared/faults.ts';
import { Identifiers, type Random } from '../shared/identifiers.ts';
import { json, pathOf, type Answer, type Request } from '../shared/message.ts';
import type { Grant } from '../shared/scope.ts';
import { callerOf, unknownProject, type Caller, type User } from './callers.ts';
import { OPERATIONS, pathsOf, type Operation } from './operations.ts';
import { allows } from './permissions.ts';
import { page } from './page.ts';
import { problem } from './problems.ts';
import { RobotApi, type Project } from './robot-api.ts';
import { fullName, type Robot } from './robot.ts';

export interface HarborOptions {
  clock: Clock;
  /** Names; their ids count from 1. */
  projects: readonly string[];
  users: readonly Omit<User, 'id'>[];
  /** Harbor as it stands in image names; `serve` fills in the address that it listens on. */
  host?: string;
  /** Of the names of all robots; `robot$` unless given. */
  prefix?: string;
  /** Id of the last robot that there was; 0 unless given. */
  lastId?: number;
  random?: Random;
}

/** What was done to a robot; never its secret. */
export type RobotEvent = Omit<Robot, 'secret' | 'id'> & TokenEvent;

interface HarborEvents extends FakeRegistryEvents {
  issued: [RobotEvent];
  revoked: [RobotEvent];
}

/**
 * A Harbor with projects, users and robot accounts (API v2.0) and the token service of its registry. It holds no socket; all but
 * bearer tokens happens before `handle` gives its promise. Robots that expired stay in the list, as in Harbor.
 */
export class Harbor extends EventEmitter<HarborEvents> implements FakeRegistry {
  readonly faults = new Faults(OPERATIONS);
  readonly tokenEndpoint = { path: '/service/token', service: 'harbor-registry' };
  host: string | undefined;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #projects: Project[];
  readonly #users: User[];
  readonly #robots = new Map<number, Robot>();
  /** Ids of those that an administrator made. */
  readonly #administered = new Set<number>();
  readonly #values: string[] = [];
  readonly #authority: BearerAuthority;
  readonly #handler: RequestHandler<Operation>;
  readonly #random: Random;

  constructor(options: HarborOptions) {
    const { clock, projects, users, host, prefix = 'robot$', lastId = 0, random = randomBytes } = options;
    super();
    this.host = host;
    this.#clock = clock;
    this.#prefix = prefix;
    this.#random = random;
    this.#projects = projects.map((name, index) => ({ id: index + 1, name }));
    this.#users = users.map((user, index) => ({ id: index + 1, ...user }));
    this.#authority = new BearerAuthority(() => clock.now());
    const identifiers = new Identifiers(clock, random);
    const robotApi = new RobotApi({
      clock,
      robots: this.#robots,
      projects: this.#projects,
      prefix,
      lastId,
      authenticate: (username, password) => this.#authenticate(username, password),
      newSecret: () => Buffer.from(random(24)).toString('base64url'),
      created: (robot) => {
        this.#values.push(robot.secret);
        this.emit('issued', this.#event(robot));
      },
      deleted: (robot) => this.emit('revoked', this.#event(robot)),
    });
    const { signer } = this.#authority;
    const issuer = (): string => this.host ?? 'localhost';
    const registryProblem = distributionProblems();
    const bearerApi = new BearerApi({
      clock,
      signer,
      issuer,
      newId: () => identifiers.uuid(),
      problem: registryProblem,
      authenticate: (username, password) => this.#holder(username, password),
      givesNothingToBadCredentials: true,
      authorized: (value) => this.#values.push(value),
    });
    const entranceApi = new EntranceApi({
      clock,
      signer,
      problem: registryProblem,
      challenge: (at = issuer()) => {
        const { path, service } = this.tokenEndpoint;
        return `Bearer realm="http://${at}${path}",service="${service}"`;
      },
    });
    const perform: Record<Operation, (request: Request, lifetime?: number) => Answer | Promise<Answer>> = {
      mint: (request) => robotApi.create(request),
      list: (request) => robotApi.list(request),
      read: (request) => robotApi.read(request),
      update: (request) => robotApi.update(request),
      refresh: (request) => robotApi.refresh(request),
      revoke: (request) => robotApi.remove(request),
      projects: (request) => this.#listProjects(request),
      project: (request) => this.#project(request),
      user: (request) => this.#currentUser(request),
      auth: (request, lifetime) => bearerApi.answer(request, lifetime),
      enter: (request) => entranceApi.enter(request),
    };
    this.#handler = new RequestHandler<Operation>({
      clock,
      faults: this.faults,
      paths: pathsOf((status) => problem(status), registryProblem),
      // Harbor checks requests that carry a session for a CSRF token, which no client of the API has.
      perform: (operation, request, lifetime) =>
        request.headers.cookie?.includes('sid=') && request.method !== 'GET'
          ? problem(403, 'CSRF token not found in request')
          : perform[operation](request, lifetime),
      answered: (report) => this.emit('answered', report),
    });
  }

  async handle(request: Request, signal?: AbortSignal): Promise<Answer> {
    const answer = await this.#handler.handle(request, signal);
    const session = Buffer.from(this.#random(16)).toString('hex');
    // As Harbor does: a client that keeps it has to pass the check for CSRF from then on.
    return {
      ...answer,
      headers: {
        'x-request-id': session,
        'set-cookie': `sid=${session}; Path=/; HttpOnly`,
        ...answer.headers,
      },
    };
  }

  certificate(): Promise<string> {
    return this.#authority.certificate();
  }

  values(): string[] {
    return [...this.#values];
  }

  /** All robots that there are, those that have expired too. */
  robots(): Omit<Robot, 'secret'>[] {
    return [...this.#robots.values()].map(withoutSecret);
  }

  /** Makes a robot with a secret of one's own, as an administrator would, for an account to work with. */
  addRobot(robot: Omit<Robot, 'id' | 'createdAt' | 'updatedAt' | 'creator'>): Robot {
    const now = this.#clock.now();
    const id = Math.max(0, ...this.#robots.keys()) + 1_000_000;
    const added: Robot = { ...robot, id, createdAt: now, updatedAt: now, creator: { type: 'local', ref: 1 } };
    this.#robots.set(id, added);
    this.#administered.add(id);
    return added;
  }

  tokens(): { id: string; description: string }[] {
    return this.#working().map(({ id, description }) => ({ id: String(id), description }));
  }

  tokenOf(value: string): string | undefined {
    return this.#working()
      .find(({ secret }) => secret === value)
      ?.id.toString();
  }

  #working(): Robot[] {
    return [...this.#robots.values()].filter(
      (robot) => !this.#administered.has(robot.id) && this.#isAlive(robot),
    );
  }

  left(): string[] {
    return [...this.#robots.keys()].filter((id) => !this.#administered.has(id)).map(String);
  }

  #authenticate(username: string, password: string): Caller | undefined {
    const user = this.#users.find((each) => each.username === username && each.password === password);
    if (user) return { user };
    const robot = [...this.#robots.values()].find((each) => fullName(each, this.#prefix) === username);
    return robot && this.#isAlive(robot) && robot.secret === password ? { robot } : undefined;
  }

  #isAlive({ disabled, expiresAt }: Robot): boolean {
    return !disabled && (expiresAt ?? Infinity) > this.#clock.now();
  }

  #holder(username: string, password: string): Holder | undefined {
    const caller = this.#authenticate(username, password);
    if (!caller) return undefined;
    const grants = (requested: readonly Grant[]): Grant[] =>
      requested.flatMap(({ type, name, actions }) => {
        const allowed = actions.filter((action) => this.#mayUse(caller, name.replace(/\/.*/s, ''), action));
        return type === 'repository' && allowed.length > 0 ? [{ type, name, actions: allowed }] : [];
      });
    const expiresAt = 'robot' in caller ? caller.robot.expiresAt : null;
    return { subject: username, expiresAt, grants };
  }

  #mayUse(caller: Caller, project: string, action: string): boolean {
    if (!this.#projects.some(({ name }) => name === project)) return false;
    if ('user' in caller) return caller.user.administrator || caller.user.projects.includes(project);
    return allows(caller.robot.permissions, 'project', project, 'repository', action);
  }

  /** GET /projects: those that the caller has to do with, in pages. */
  #listProjects(request: Request): Answer {
    const caller = callerOf(request, (username, password) => this.#authenticate(username, password));
    if (!caller) return problem(401);
    const visible = this.#projects.filter(({ name }) => this.#sees(caller, name));
    return page(
      request,
      visible.map(({ id, name }) => ({ project_id: id, name })),
    );
  }

  /** GET /projects/{name or id}. */
  #project(request: Request): Answer {
    const caller = callerOf(request, (username, password) => this.#authenticate(username, password));
    if (!caller) return problem(401);
    const key = decodeURIComponent(pathOf(request).split('/').at(-1) ?? '');
    const byName = request.headers['x-is-resource-name'] === 'true' || !/^\d+$/.test(key);
    const project = this.#projects.find(({ id, name }) => (byName ? name === key : String(id) === key));
    if (!project) return unknownProject(caller, key);
    return this.#sees(caller, project.name)
      ? json(200, { project_id: project.id, name: project.name })
      : problem(403);
  }

  #sees(caller: Caller, project: string): boolean {
    if ('user' in caller) return caller.user.administrator || caller.user.projects.includes(project);
    return caller.robot.permissions.some(
      ({ kind, namespace }) => kind === 'project' && (namespace === project || namespace === '*'),
    );
  }

  /** GET /users/current, which robots are not. */
  #currentUser(request: Request): Answer {
    const caller = callerOf(request, (username, password) => this.#authenticate(username, password));
    if (!caller) return problem(401);
    if ('robot' in caller) return problem(412, 'get current user not available for security context: robot');
    const { id, username, administrator } = caller.user;
    return json(200, { user_id: id, username, sysadmin_flag: administrator });
  }

  #event(robot: Robot): RobotEvent {
    return { time: this.#clock.now(), ...withoutSecret(robot), id: String(robot.id) };
  }
}

function withoutSecret(robot: Robot): Omit<Robot, 'secret'> {
  const { secret: _, ...rest } = robot;
  return rest;
}
