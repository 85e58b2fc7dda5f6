import type { Access, Permission } from './robot.ts';

/** Actions that a robot can be given, by kind; src/common/rbac/const.go, as far as it concerns pulls, pushes and robots. */
const GRANTABLE: Readonly<Record<Permission['kind'], Readonly<Record<string, readonly string[]>>>> = {
  project: {
    repository: ['pull', 'push', 'read', 'list', 'update', 'delete'],
    artifact: ['read', 'list', 'create', 'delete'],
    tag: ['list', 'create', 'delete'],
    project: ['read', 'update', 'delete'],
    member: ['read', 'list', 'create', 'update', 'delete'],
    robot: ['create', 'read', 'list', 'delete'],
  },
  system: {
    project: ['list', 'create'],
    robot: ['create', 'read', 'list', 'delete'],
    'system-volumes': ['read'],
  },
};

/** Whether there are all these permissions to be given. */
export function isGrantable({ kind, access }: Permission): boolean {
  return access.every(({ resource, action }) => GRANTABLE[kind][resource]?.includes(action) ?? false);
}

/** Whether permissions allow an action. @param namespace a project's name, or `/` for the system */
export function allows(
  permissions: readonly Permission[],
  kind: Permission['kind'],
  namespace: string,
  resource: string,
  action: string,
): boolean {
  return permissions.some(
    (permission) =>
      permission.kind === kind &&
      (permission.namespace === namespace || permission.namespace === '*') &&
      permission.access.some((access) => access.resource === resource && access.action === action),
  );
}

/**
 * Whether a robot may give these permissions to another: it has to have each of them itself, compared as text, so that one
 * with `effect` is not the same as one without (Harbor issue 21251).
 */
export function covers(own: readonly Permission[], given: readonly Permission[]): boolean {
  const text = ({ resource, action, effect = '' }: Access): string => `${resource}:${action}:${effect}`;
  return given.every(({ kind, namespace, access }) => {
    const held = own.filter(
      (permission) =>
        permission.kind === kind && (permission.namespace === namespace || permission.namespace === '*'),
    );
    const texts = new Set(held.flatMap((permission) => permission.access.map(text)));
    return access.every((each) => texts.has(text(each)));
  });
}
