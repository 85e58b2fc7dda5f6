import { basicCredentials } from '../shared/bearer-api.ts';
import type { Answer, Request } from '../shared/message.ts';
import { allows } from './permissions.ts';
import { problem } from './problems.ts';
import type { Permission, Robot } from './robot.ts';

export interface User {
  id: number;
  username: string;
  password: string;
  /** Of the whole system. */
  administrator: boolean;
  /** Names of the projects that the user administers. */
  projects: readonly string[];
}

/** Whoever calls the API. */
export type Caller = { user: User } | { robot: Robot };

/** Whether a caller may do something to robots: an administrator may, and a robot that was given it. */
export function mayManageRobots(caller: Caller, project: string | undefined, action: string): boolean {
  if ('user' in caller)
    return caller.user.administrator || (project !== undefined && caller.user.projects.includes(project));
  const kind: Permission['kind'] = project === undefined ? 'system' : 'project';
  return allows(caller.robot.permissions, kind, project ?? '/', 'robot', action);
}

/** The answer on a project that there is not: only an administrator is told so (Harbor issues 17586 and 21800). */
export function unknownProject(caller: Caller, name: string): Answer {
  return 'user' in caller && caller.user.administrator
    ? problem(404, `project ${name} not found`)
    : problem(403);
}

/** The caller of a request, by its Basic credentials. @param authenticate finds a user or a robot that is alive */
export function callerOf(
  request: Request,
  authenticate: (username: string, password: string) => Caller | undefined,
): Caller | undefined {
  const credentials = basicCredentials(request.headers.authorization);
  return credentials && authenticate(credentials.username, credentials.password);
}
