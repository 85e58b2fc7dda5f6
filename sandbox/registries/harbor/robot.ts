/** One action on one kind of resource, as Harbor writes it. */
export interface Access {
  resource: string;
  action: string;
  effect?: string;
}

export interface Permission {
  kind: 'project' | 'system';
  /** Name of a project; `*` for all of them; `/` for the system. */
  namespace: string;
  access: Access[];
}

export type Level = 'system' | 'project';

/** A robot account. Times in milliseconds since 1970. */
export interface Robot {
  id: number;
  /** As it was given: without prefix and project. */
  name: string;
  /** undefined at the level of the system. */
  project: { id: number; name: string } | undefined;
  description: string;
  level: Level;
  /** Days, or -1 for ever. */
  duration: number;
  createdAt: number;
  updatedAt: number;
  /** null when it never expires. */
  expiresAt: number | null;
  disabled: boolean;
  permissions: Permission[];
  creator: { type: 'local' | 'robot'; ref: number };
  secret: string;
}

export const DAY = 86_400_000;

/** A robot's name as Harbor shows it and docker logs in with it. @param prefix of all robots, configurable in Harbor */
export function fullName({ name, project }: Pick<Robot, 'name' | 'project'>, prefix: string): string {
  return project ? `${prefix}${project.name}+${name}` : `${prefix}${name}`;
}

/** When a robot expires: counted from its creation, whenever its duration is changed. */
export function expiryOf(createdAt: number, duration: number): number | null {
  return duration === -1 ? null : Math.floor(createdAt / 1000) * 1000 + duration * DAY;
}

/** A robot as the API shows it; never its secret. */
export function shown(robot: Robot, prefix: string): object {
  return {
    id: robot.id,
    name: fullName(robot, prefix),
    description: robot.description,
    level: robot.level,
    duration: robot.duration,
    editable: true,
    disable: robot.disabled,
    expires_at: robot.expiresAt === null ? -1 : robot.expiresAt / 1000,
    permissions: robot.permissions,
    creator_type: robot.creator.type,
    creator_ref: robot.creator.ref,
    creation_time: new Date(robot.createdAt).toISOString(),
    update_time: new Date(robot.updatedAt).toISOString(),
  };
}
