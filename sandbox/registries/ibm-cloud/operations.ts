import type { Path } from '../shared/fake-registry.ts';
import type { Operations } from '../shared/fault.ts';
import type { IamProblems } from './problems.ts';

export type Operation =
  | 'exchange'
  | 'listGroups'
  | 'createGroup'
  | 'listServiceIds'
  | 'createServiceId'
  | 'readServiceId'
  | 'deleteServiceId'
  | 'listPolicies'
  | 'createPolicy'
  | 'deletePolicy'
  | 'list'
  | 'mint'
  | 'read'
  | 'revoke'
  | 'auth'
  | 'enter';

export const OPERATIONS: Operations<Operation> = {
  all: [
    'exchange',
    'listGroups',
    'createGroup',
    'listServiceIds',
    'createServiceId',
    'readServiceId',
    'deleteServiceId',
    'listPolicies',
    'createPolicy',
    'deletePolicy',
    'list',
    'mint',
    'read',
    'revoke',
    'auth',
    'enter',
  ],
  issuing: ['exchange', 'auth'],
  silent: ['revoke', 'deleteServiceId', 'deletePolicy'],
};

/** What each path is for. */
export function pathsOf(
  { loginByStatus, apiByStatus }: IamProblems,
  registryProblem: Path<Operation>['problem'],
): readonly Path<Operation>[] {
  const path = (
    pattern: RegExp,
    operations: Path<Operation>['operations'],
    problem = apiByStatus,
  ): Path<Operation> => ({ pattern, operations, problem });
  return [
    path(/^\/identity\/token$/, { POST: 'exchange' }, loginByStatus),
    path(/^\/v1\/serviceid_groups\/?$/, { GET: 'listGroups', POST: 'createGroup' }),
    path(/^\/v1\/serviceids\/?$/, { GET: 'listServiceIds', POST: 'createServiceId' }),
    path(/^\/v1\/serviceids\/[^/]+$/, { GET: 'readServiceId', DELETE: 'deleteServiceId' }),
    path(/^\/v1\/policies$/, { GET: 'listPolicies', POST: 'createPolicy' }),
    path(/^\/v1\/policies\/[^/]+$/, { DELETE: 'deletePolicy' }),
    path(/^\/v1\/apikeys$/, { GET: 'list', POST: 'mint' }),
    path(/^\/v1\/apikeys\/[^/]+$/, { GET: 'read', DELETE: 'revoke' }),
    path(/^\/oauth\/token$/, { GET: 'auth', POST: 'auth' }, registryProblem),
    path(/^\/v2\/$/, { GET: 'enter' }, registryProblem),
  ];
}
