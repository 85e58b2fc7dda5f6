import type { Clock } from '../../../src/common/clock.ts';
import { json, pathOf, queryOf, type Answer, type Request } from '../shared/message.ts';
import { callerOf, mayManageRobots, unknownProject, type Caller } from './callers.ts';
import { page } from './page.ts';
import { covers } from './permissions.ts';
import { problem } from './problems.ts';
import { fulfils, readQuery } from './query.ts';
import { isRobotName, readRobotRequest } from './robot-request.ts';
import { expiryOf, fullName, shown, type Robot } from './robot.ts';

export interface Project {
  id: number;
  name: string;
}

export interface RobotApiOptions {
  clock: Clock;
  /** By id. Harbor never deletes one that has expired. */
  robots: Map<number, Robot>;
  projects: readonly Project[];
  /** Of all robots' names. */
  prefix: string;
  /** Id of the last robot that there was. */
  lastId: number;
  authenticate: (username: string, password: string) => Caller | undefined;
  newSecret: () => string;
  created: (robot: Robot) => void;
  deleted: (robot: Robot) => void;
}

const OWN_SECRET = /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d).{8,128}$/s;

/** Harbor's robot accounts, API v2.0. */
export class RobotApi {
  readonly #options: RobotApiOptions;
  #lastId: number;

  constructor(options: RobotApiOptions) {
    this.#options = options;
    this.#lastId = options.lastId;
  }

  /** POST /robots. */
  create(request: Request): Answer {
    return this.#called(request, (caller) => {
      const { clock, robots, projects, prefix, newSecret, created } = this.#options;
      const asked = readRobotRequest(request.body);
      if ('refusal' in asked) return problem(400, asked.refusal);
      const { name, description, level, duration, permissions } = asked;
      const names = permissions.filter(({ kind, namespace }) => kind === 'project' && namespace !== '*');
      const missing = names.find(({ namespace }) => !projects.some((each) => each.name === namespace));
      const project =
        level === 'project' ? projects.find((each) => each.name === permissions[0]?.namespace) : undefined;
      if (level === 'project' && !project)
        return missing ? unknownProject(caller, missing.namespace) : problem(400, 'bad request permission');
      if (!isRobotName(name, project?.name))
        return problem(400, `robot name is not in lower case or contains illegal characters`);
      if (!mayManageRobots(caller, project?.name, 'create')) return problem(403);
      if (missing) return problem(404, `project ${missing.namespace} not found`);
      if ('robot' in caller && !covers(caller.robot.permissions, permissions))
        return problem(
          403,
          "permission scope is invalid. It must be equal to or more restrictive than the creator robot's permissions",
          'DENIED',
        );
      const taken = [...robots.values()].some(
        (other) => other.name === name && other.project?.id === project?.id,
      );
      if (taken) return problem(409, `robot account ${name} already exists`);
      const now = clock.now();
      const robot: Robot = {
        id: ++this.#lastId,
        name,
        project,
        description,
        level,
        duration,
        createdAt: now,
        updatedAt: now,
        expiresAt: expiryOf(now, duration),
        disabled: false,
        permissions,
        creator:
          'robot' in caller
            ? { type: 'robot', ref: caller.robot.id }
            : { type: 'local', ref: caller.user.id },
        secret: newSecret(),
      };
      robots.set(robot.id, robot);
      created(robot);
      const { id, secret } = robot;
      const answer = {
        id,
        name: fullName(robot, prefix),
        secret,
        creation_time: new Date(now).toISOString(),
        expires_at: robot.expiresAt === null ? -1 : robot.expiresAt / 1000,
      };
      return json(201, answer, { location: `/api/v2.0/robots/${id}` });
    });
  }

  /** GET /robots: those of the system, unless the query asks for those of a project. */
  list(request: Request): Answer {
    return this.#called(request, (caller) => {
      const { robots, projects, prefix } = this.#options;
      const query = queryOf(request);
      const conditions = readQuery(query.get('q') ?? '');
      if (!conditions) return problem(400, "the query string can't be decoded");
      const { Level: level = 'system', ProjectID: projectId } = termsOf(query.get('q') ?? '');
      if (level !== 'system' && level !== 'project')
        return problem(400, `bad request error level input: ${level}`);
      if (level === 'project' && projectId === undefined)
        return problem(400, 'must with project ID when to query project robots');
      const project = level === 'project' ? projects.find(({ id }) => String(id) === projectId) : undefined;
      if (level === 'project' && !project) return unknownProject(caller, projectId ?? '');
      if (!mayManageRobots(caller, project?.name, 'list')) return problem(403);
      const found = [...robots.values()].filter(
        (robot) =>
          robot.level === level && robot.project?.id === project?.id && fulfils(fieldsOf(robot), conditions),
      );
      return page(
        request,
        found.map((robot) => shown(robot, prefix)),
      );
    });
  }

  /** GET /robots/{id}. */
  read(request: Request): Answer {
    return this.#named(request, 'read', (robot) => json(200, shown(robot, this.#options.prefix)));
  }

  /** PUT /robots/{id}: the whole body, the name with its prefix. A new duration counts from the creation. */
  update(request: Request): Answer {
    return this.#named(request, 'update', (robot) => {
      const { clock, prefix } = this.#options;
      const asked = readRobotRequest(request.body);
      if ('refusal' in asked) return problem(400, asked.refusal);
      const { name, level, description, duration, disable, permissions } = asked;
      if (name !== fullName(robot, prefix) || level !== robot.level)
        return problem(400, 'cannot update the level or name of robot');
      const expiresAt = duration === robot.duration ? robot.expiresAt : expiryOf(robot.createdAt, duration);
      Object.assign(robot, {
        description,
        duration,
        disabled: disable,
        permissions,
        expiresAt,
        updatedAt: clock.now(),
      });
      return { status: 200, headers: {}, body: '' };
    });
  }

  /** PATCH /robots/{id}: another secret. The one before is dead at once; the expiry stays. */
  refresh(request: Request): Answer {
    return this.#named(request, 'update', (robot) => {
      const secret = secretIn(request.body);
      if (secret === undefined) return problem(422, 'robotSec in body is required');
      if (secret !== '' && !OWN_SECRET.test(secret))
        return problem(
          400,
          'the secret must be 8-128, inclusively, characters long with at least 1 uppercase letter, 1 lowercase letter and 1 number',
        );
      robot.secret = secret || this.#options.newSecret();
      this.#options.created(robot);
      return json(200, secret === '' ? { secret: robot.secret } : {});
    });
  }

  /** DELETE /robots/{id}, answered with 200. */
  remove(request: Request): Answer {
    return this.#named(request, 'delete', (robot) => {
      this.#options.robots.delete(robot.id);
      this.#options.deleted(robot);
      return { status: 200, headers: {}, body: '' };
    });
  }

  #named(request: Request, action: string, act: (robot: Robot) => Answer): Answer {
    return this.#called(request, (caller) => {
      const id = pathOf(request).split('/').at(-1) ?? '';
      const robot = this.#options.robots.get(Number(id));
      if (!robot) return problem(404, `robot ${id} not found`);
      return mayManageRobots(caller, robot.project?.name, action) ? act(robot) : problem(403);
    });
  }

  #called(request: Request, act: (caller: Caller) => Answer): Answer {
    const caller = callerOf(request, this.#options.authenticate);
    return caller ? act(caller) : problem(401);
  }
}

/** The terms of a `q` that the list itself reads. */
function termsOf(text: string): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(text.split(',').map((part) => part.split('=') as [string, string | undefined]));
}

/** The columns that a query can name. */
function fieldsOf({ id, name, project, description, duration, disabled }: Robot): Record<string, string> {
  return {
    id: String(id),
    // The name is stored with its project, without the prefix.
    name: project ? `${project.name}+${name}` : name,
    description,
    duration: String(duration),
    disabled: String(disabled),
  };
}

function secretIn(body: string): string | undefined {
  try {
    const { secret } = JSON.parse(body) as { secret?: unknown };
    return typeof secret === 'string' ? secret : undefined;
  } catch {
    return undefined;
  }
}
