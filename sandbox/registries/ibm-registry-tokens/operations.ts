import type { Path } from '../shared/fake-registry.ts';
import type { Operations } from '../shared/fault.ts';
import type { Problems } from './problems.ts';

export type Operation = 'mint' | 'read' | 'revoke' | 'list' | 'exchange' | 'auth' | 'enter';

export const OPERATIONS: Operations<Operation> = {
  all: ['mint', 'read', 'revoke', 'list', 'exchange', 'auth', 'enter'],
  issuing: ['mint', 'exchange', 'auth'],
  reading: ['read'],
  silent: ['revoke'],
  lengthened: ['list'],
};

/** What each path is for. */
export function pathsOf({
  registryByStatus,
  iamByStatus,
  distributionByStatus,
}: Problems): readonly Path<Operation>[] {
  const path = (
    pattern: RegExp,
    operations: Path<Operation>['operations'],
    problem: Path<Operation>['problem'],
  ): Path<Operation> => ({ pattern, operations, problem });
  return [
    path(/^\/identity\/token$/, { POST: 'exchange' }, iamByStatus),
    path(/^\/api\/v1\/tokens$/, { GET: 'list', POST: 'mint', DELETE: 'revoke' }, registryByStatus),
    path(/^\/api\/v1\/tokens\/[^/]+$/, { GET: 'read', DELETE: 'revoke' }, registryByStatus),
    path(/^\/oauth\/token$/, { GET: 'auth', POST: 'auth' }, distributionByStatus),
    path(/^\/v2\/$/, { GET: 'enter' }, distributionByStatus),
  ];
}

/** The rest of a list: rows as long as real ones, made by hand, and its end. */
export function* moreRows(count: number): Generator<string> {
  const owner = 'f'.repeat(32);
  const token = 'v'.repeat(420);
  for (let row = 1; row <= count; row++) {
    const id = `made-up-${String(row).padStart(28, '0')}`;
    yield `${row === 1 ? '' : ','}{"_id":"${id}","owner":"${owner}","token":"${token}","secondary_owner":"made by hand, row ${row}","readonly":true,"revoked":false}`;
  }
  yield ']}';
}
