import { createHash } from 'node:crypto';
import type { IssueRequest, Tag } from '../port.ts';

const DAY = 86_400_000;
/** Every project, future ones included. */
const ALL_PROJECTS = '*';

/** The body that creates a robot. Without `effect`: a robot may only give what it has, compared as text. */
export interface RobotRequest {
  name: string;
  description: string;
  level: 'project' | 'system';
  /** Days; -1: never expires. */
  duration: number;
  permissions: {
    kind: 'project';
    namespace: string;
    access: { resource: 'repository'; action: 'pull' | 'push' }[];
  }[];
}

/** The robot for a token: of its project where there is one, else of the system. */
export function robotRequest({ tag, description, access, lifetime, scope }: IssueRequest): RobotRequest {
  const actions = access === 'ReadWrite' ? (['pull', 'push'] as const) : (['pull'] as const);
  const namespaces = scope.length === 0 ? [ALL_PROJECTS] : scope;
  return {
    name: robotName(tag),
    description,
    level: scope.length === 1 ? 'project' : 'system',
    duration: lifetime === 'Never' ? -1 : Math.ceil(lifetime / DAY),
    permissions: namespaces.map((namespace) => ({
      kind: 'project',
      namespace,
      access: actions.map((action) => ({ resource: 'repository', action })),
    })),
  };
}

/**
 * A name that no other token has, in any cluster: a creation that is repeated, because its answer was lost, is refused. Harbor
 * takes lower case letters, digits and single separators between them.
 */
function robotName({ clusterId, uid, revision }: Tag): string {
  const cluster = createHash('sha256').update(clusterId).digest('hex').slice(0, 10);
  const owner = /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(uid)
    ? uid
    : createHash('sha256').update(uid).digest('hex').slice(0, 32);
  return `rt-${cluster}-${owner}-${revision}`;
}
