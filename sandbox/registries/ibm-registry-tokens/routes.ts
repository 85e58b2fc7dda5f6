import type { Operation } from '../shared/fault.ts';
import { pathOf, type Request } from '../shared/message.ts';
import type { Api } from './problems.ts';

interface Path {
  pattern: RegExp;
  api: Api;
  /** Method -> what it does. */
  operations: Readonly<Record<string, Operation>>;
}

/** What a request is for. Without an operation the path exists but not with that method. */
export interface Route {
  api: Api;
  operation: Operation | undefined;
  /** The methods that the path has. */
  allowed: readonly string[];
}

const PATHS: readonly Path[] = [
  { pattern: /^\/identity\/token$/, api: 'iam', operations: { POST: 'exchange' } },
  {
    pattern: /^\/api\/v1\/tokens$/,
    api: 'registry',
    operations: { GET: 'list', POST: 'mint', DELETE: 'revoke' },
  },
  { pattern: /^\/api\/v1\/tokens\/[^/]+$/, api: 'registry', operations: { GET: 'read', DELETE: 'revoke' } },
  { pattern: /^\/oauth\/token$/, api: 'distribution', operations: { GET: 'auth', POST: 'auth' } },
  { pattern: /^\/v2\/$/, api: 'distribution', operations: { GET: 'enter' } },
];

/** @returns undefined when there is no such path */
export function routeOf(request: Request): Route | undefined {
  const path = PATHS.find(({ pattern }) => pattern.test(pathOf(request)));
  if (!path) return undefined;
  return {
    api: path.api,
    operation: path.operations[request.method],
    allowed: Object.keys(path.operations),
  };
}
