import type { Path } from '../shared/fake-registry.ts';
import type { Operations } from '../shared/fault.ts';

export type Operation =
  | 'mint'
  | 'list'
  | 'read'
  | 'update'
  | 'refresh'
  | 'revoke'
  | 'projects'
  | 'project'
  | 'user'
  | 'auth'
  | 'enter';

export const OPERATIONS: Operations<Operation> = {
  all: [
    'mint',
    'list',
    'read',
    'update',
    'refresh',
    'revoke',
    'projects',
    'project',
    'user',
    'auth',
    'enter',
  ],
  issuing: ['auth'],
  silent: ['revoke', 'update'],
};

/** What each path is for. @param api errors of Harbor's own API. @param distribution those of the registry in it */
export function pathsOf(
  api: Path<Operation>['problem'],
  distribution: Path<Operation>['problem'],
): readonly Path<Operation>[] {
  const path = (
    pattern: RegExp,
    operations: Path<Operation>['operations'],
    problem = api,
  ): Path<Operation> => ({ pattern, operations, problem });
  return [
    path(/^\/api\/v2\.0\/robots$/, { GET: 'list', POST: 'mint' }),
    path(/^\/api\/v2\.0\/robots\/[^/]+$/, { GET: 'read', PUT: 'update', PATCH: 'refresh', DELETE: 'revoke' }),
    path(/^\/api\/v2\.0\/projects$/, { GET: 'projects' }),
    path(/^\/api\/v2\.0\/projects\/[^/]+$/, { GET: 'project' }),
    path(/^\/api\/v2\.0\/users\/current$/, { GET: 'user' }),
    path(/^\/service\/token$/, { GET: 'auth', POST: 'auth' }, distribution),
    path(/^\/v2\/$/, { GET: 'enter' }, distribution),
  ];
}
