import { Redacted } from '../../common/redacted.ts';
import type {
  Capabilities,
  IssuedToken,
  IssueRequest,
  ListedToken,
  Place,
  Registry,
  Select,
} from '../port.ts';
import { RegistryError } from '../errors.ts';
import type { PlaceClient, PlaceRequest } from '../http/place-client.ts';
import { urlBelow } from '../http/registry-client.ts';
import { HARBOR_DIALECT } from './dialect.ts';
import {
  meaningOfRefusal,
  readCreated,
  readProject,
  readProjects,
  readRobot,
  readRobots,
  type Project,
} from './robot-answers.ts';
import { robotRequest } from './robot-request.ts';

export interface HarborCredentials {
  username: string;
  password: Redacted;
}

export interface HarborRobotsOptions {
  client: PlaceClient;
  place: Place;
  credentials: HarborCredentials;
  capabilities: Capabilities;
  guard: (() => void) | undefined;
}

/** Harbor's maximum. */
const MAX_PAGE = 100;
/** Harbor's database has 32 bits for the id of a robot. */
const MAX_ID = 2 ** 31 - 1;
/** Bytes of an answer: a page of robots, each with the permissions for many projects. */
const MAX_BODY = 16 * 2 ** 20;
/** Part of every tag, and unlikely elsewhere in a description. */
const TAG_PART = 'pullsecrets.dev:';

/** A request to Harbor's API, before credentials are added. */
type Draft = Pick<PlaceRequest, 'operation' | 'purpose' | 'method' | 'creates' | 'names'> & {
  path: string;
  body?: object;
};

/**
 * Harbor's robot accounts (API v2.0), one for each token. The name of a robot is made of cluster, RegistryToken and revision, and
 * Harbor refuses a name that is taken: so a creation whose answer was lost is never repeated.
 */
export class HarborRobots implements Registry {
  readonly capabilities: Capabilities;
  readonly host: string;
  readonly #options: HarborRobotsOptions;

  constructor(options: HarborRobotsOptions) {
    this.capabilities = options.capabilities;
    this.host = options.place.host;
    this.#options = options;
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<IssuedToken> {
    const body = robotRequest(request);
    const draft: Draft = {
      operation: 'mint',
      purpose: `create robot ${body.name}`,
      method: 'POST',
      path: '/robots',
      creates: true,
      names: false,
      body,
    };
    try {
      return await this.#ask(draft, readCreated, 'holds no robot', signal);
    } catch (error) {
      throw error instanceof RegistryError ? meaningOfRefusal(error, `${body.name} at ${this.host}`) : error;
    }
  }

  /** Works also where the account may not see the robot's project, such as one that was deleted with its robots. */
  async lookUp(id: string, signal: AbortSignal): Promise<ListedToken | undefined> {
    const draft: Draft = {
      operation: 'read',
      purpose: `read robot ${id}`,
      method: 'GET',
      path: robotPath(id),
      creates: false,
      names: true,
    };
    try {
      return await this.#ask(draft, readRobot, 'holds no robot', signal);
    } catch (error) {
      if (isNotThere(error)) return undefined;
      throw error;
    }
  }

  async revoke(id: string, signal: AbortSignal): Promise<boolean> {
    const draft: Draft = {
      operation: 'revoke',
      purpose: `delete robot ${id}`,
      method: 'DELETE',
      path: robotPath(id),
      creates: false,
      names: true,
    };
    try {
      return await this.#ask(draft, () => true, '', signal);
    } catch (error) {
      if (isNotThere(error)) return false;
      throw error;
    }
  }

  /** The robots of a project, where the scope is one project; else those of the system, which may reach several. */
  async list<T>(scope: readonly string[], select: Select<T>, signal: AbortSignal): Promise<T[]> {
    const [name, ...others] = scope;
    if (name === undefined || others.length > 0) return this.#robots(undefined, select, signal);
    const project = await this.#project(name, signal);
    return project ? this.#robots(project, select, signal) : [];
  }

  /** All projects for an administrator and a robot of all projects; for others those they have to do with, and public ones. */
  async scopes(signal: AbortSignal): Promise<string[][]> {
    const names = new Set<string>();
    const purpose = 'list projects';
    for (let page = 1; ; page++) {
      const draft: Draft = {
        operation: 'list',
        purpose,
        method: 'GET',
        path: `/projects?page=${page}&page_size=${MAX_PAGE}&with_detail=false`,
        creates: false,
        names: false,
      };
      const projects = await this.#ask(draft, readProjects, 'is no complete list', signal);
      const before = names.size;
      for (const { name } of projects) names.add(name);
      if (projects.length < MAX_PAGE) return [...names].map((name) => [name]);
      if (names.size === before) throw this.#repeats(purpose);
    }
  }

  /** Robots of a project, or of the system, whose description may hold our tag: Harbor ignores conditions it does not know. */
  async #robots<T>(project: Project | undefined, select: Select<T>, signal: AbortSignal): Promise<T[]> {
    const level = project ? ['Level=project', `ProjectID=${project.id}`] : [];
    const purpose = project ? `list the robots of project ${project.name}` : 'list the robots of the system';
    const kept: T[] = [];
    // By id, not by page number: a robot that is deleted meanwhile must not hide another.
    for (let next = 1; ;) {
      const query = [...level, `description=~${encodeURIComponent(TAG_PART)}`, `id=[${next}~]`].join(',');
      const draft: Draft = {
        operation: 'list',
        purpose,
        method: 'GET',
        path: `/robots?sort=id&page=1&page_size=${MAX_PAGE}&q=${encodeURIComponent(query)}`,
        creates: false,
        names: false,
      };
      const rows = await this.#ask(draft, readRobots, 'is no complete list', signal);
      kept.push(...rows.flatMap((row) => select(row) ?? []));
      if (rows.length < MAX_PAGE) return kept;
      const last = Math.max(...rows.map(({ id }) => Number(id)));
      if (last < next) throw this.#repeats(purpose);
      next = last + 1;
    }
  }

  #repeats(purpose: string): RegistryError {
    return new RegistryError('Unavailable', `could not ${purpose} at ${this.host}: its pages repeat`);
  }

  /** @returns undefined where there is none: its robots went with it */
  async #project(name: string, signal: AbortSignal): Promise<Project | undefined> {
    const draft: Draft = {
      operation: 'list',
      purpose: `read project ${name}`,
      method: 'GET',
      path: `/projects/${encodeURIComponent(name)}`,
      creates: false,
      names: false,
    };
    try {
      return await this.#ask(draft, readProject, 'holds no project', signal);
    } catch (error) {
      if (isNotThere(error)) return undefined;
      throw error;
    }
  }

  #ask<T>(
    { path, body, ...draft }: Draft,
    read: (json: unknown) => T | undefined,
    flaw: string,
    signal: AbortSignal,
  ): Promise<T> {
    const { client, place, credentials, guard } = this.#options;
    return client.ask(
      harborRequest(place, credentials, {
        ...draft,
        path,
        body,
        guard: draft.method === 'GET' ? undefined : guard,
      }),
      ({ json }) => read(json),
      flaw,
      signal,
    );
  }
}

/** Whether Harbor itself says so: a 404 of anything else can mean a wrong address. */
function isNotThere(error: unknown): boolean {
  return error instanceof RegistryError && error.status === 404 && error.registryCode === 'NOT_FOUND';
}

/** A request to Harbor's API: by Basic authentication and without cookies, since requests of a session need a CSRF token. */
export function harborRequest(
  { endpoint }: Pick<Place, 'endpoint'>,
  { username, password }: HarborCredentials,
  {
    path,
    body,
    ...draft
  }: Pick<PlaceRequest, 'operation' | 'purpose' | 'method' | 'creates' | 'names' | 'guard'> & {
    path: string;
    body?: object | undefined;
  },
): PlaceRequest {
  const basic = Buffer.from(`${username}:${password.reveal()}`).toString('base64');
  return {
    ...draft,
    dialect: HARBOR_DIALECT,
    secrets: [password, new Redacted(basic)],
    maxBody: MAX_BODY,
    url: urlBelow(endpoint, `/api/v2.0${path}`),
    headers: {
      Authorization: `Basic ${basic}`,
      Accept: 'application/json',
      'X-Is-Resource-Name': 'true',
      ...(body && { 'Content-Type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  };
}

/** @throws RegistryError InvalidRequest for what would name something else, or can be no robot's */
function robotPath(id: string): string {
  if (/^[1-9]\d{0,9}$/.test(id) && Number(id) <= MAX_ID) return `/robots/${id}`;
  throw new RegistryError('InvalidRequest', `${JSON.stringify(id)} is not the id of a robot`);
}
