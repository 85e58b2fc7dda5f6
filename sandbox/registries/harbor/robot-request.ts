import { isGrantable } from './permissions.ts';
import type { Level, Permission } from './robot.ts';

/** The body of a request that creates or updates a robot. `secret` and `disable` of a creation are ignored, as by Harbor. */
export interface RobotRequest {
  name: string;
  description: string;
  level: Level;
  duration: number;
  disable: boolean;
  permissions: Permission[];
}

const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const MAX_NAME = 255;
const MAX_DESCRIPTION = 1024;
const MAX_DURATION = 2 ** 31 - 1;

/** @returns the request, or what Harbor says of one that it refuses with 400 */
export function readRobotRequest(body: string): RobotRequest | { refusal: string } {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { refusal: 'parsing body body from "" failed, because invalid character' };
  }
  const {
    name,
    description = '',
    level,
    duration,
    disable = false,
    permissions,
  } = value as Record<string, unknown>;
  if (typeof name !== 'string' || typeof description !== 'string')
    return { refusal: 'robot.name in body is required' };
  if (level !== 'system' && level !== 'project')
    return { refusal: `bad request error level input: ${String(level)}` };
  if (
    typeof duration !== 'number' ||
    !Number.isInteger(duration) ||
    duration === 0 ||
    duration < -1 ||
    duration > MAX_DURATION
  )
    return {
      refusal: 'bad request error duration input: 0, duration must be either -1(Never) or a positive integer',
    };
  if (!Array.isArray(permissions) || permissions.length === 0)
    return { refusal: 'bad request empty permission' };
  if (!permissions.every(isPermission)) return { refusal: 'bad request permission' };
  if (level === 'project' && (permissions.length > 1 || permissions[0]?.kind !== 'project'))
    return { refusal: 'bad request permission: a robot of a project takes exactly one, of that project' };
  const unknown = permissions.find((permission) => !isGrantable(permission));
  if (unknown)
    return {
      refusal: `bad request permission: ${unknown.access.map((each) => `${each.resource}:${each.action}`).join(', ')}`,
    };
  if (description.length > MAX_DESCRIPTION) return { refusal: 'description is too long' };
  return { name, description, level, duration, disable: disable === true, permissions };
}

/** Whether a new robot can have this name. @param project that it is of */
export function isRobotName(name: string, project: string | undefined): boolean {
  const stored = project === undefined ? name : `${project}+${name}`;
  return NAME.test(name) && stored.length <= MAX_NAME;
}

function isPermission(value: unknown): value is Permission {
  const { kind, namespace, access } = (value ?? {}) as Record<string, unknown>;
  return (
    (kind === 'project' || kind === 'system') &&
    typeof namespace === 'string' &&
    Array.isArray(access) &&
    access.length > 0 &&
    access.every((each) => {
      const { resource, action } = (each ?? {}) as Record<string, unknown>;
      return typeof resource === 'string' && typeof action === 'string';
    })
  );
}
