import type { Path } from '../shared/fake-registry.ts';
import type { Operations } from '../shared/fault.ts';
import { formOf, pathOf, type Request } from '../shared/message.ts';

export type Operation =
  'mint' | 'mintPublic' | 'assumeRole' | 'assumeRoleWithWebIdentity' | 'callerIdentity' | 'auth' | 'enter';

const ISSUING: readonly Operation[] = [
  'mint',
  'mintPublic',
  'assumeRole',
  'assumeRoleWithWebIdentity',
  'auth',
];

export const OPERATIONS: Operations<Operation> = {
  all: [...ISSUING, 'callerIdentity', 'enter'],
  issuing: ISSUING,
};

/** Header `X-Amz-Target` of the two ECRs, which speak JSON 1.1. */
const TARGETS: Readonly<Record<string, Operation>> = {
  'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken': 'mint',
  'SpencerFrontendService.GetAuthorizationToken': 'mintPublic',
};
/** Field `Action` of STS, which takes forms. */
const ACTIONS: Readonly<Record<string, Operation>> = {
  AssumeRole: 'assumeRole',
  AssumeRoleWithWebIdentity: 'assumeRoleWithWebIdentity',
  GetCallerIdentity: 'callerIdentity',
};

/** A path of its own for each request to an API of AWS, all of which have the path `/`. */
export function routed(request: Request): Request {
  if (request.method !== 'POST' || pathOf(request) !== '/') return request;
  const target = request.headers['x-amz-target'];
  const operation =
    target === undefined ? ACTIONS[formOf(request).get('Action') ?? ''] : (TARGETS[target] ?? 'unknown');
  return { ...request, path: `/${operation ?? 'unknown'}` };
}

/** What each path of `routed` is for. */
export function pathsOf(
  json: Path<Operation>['problem'],
  xml: Path<Operation>['problem'],
  distribution: Path<Operation>['problem'],
): readonly Path<Operation>[] {
  return [
    { pattern: /^\/mint$/, operations: { POST: 'mint' }, problem: json },
    { pattern: /^\/mintPublic$/, operations: { POST: 'mintPublic' }, problem: json },
    { pattern: /^\/assumeRole$/, operations: { POST: 'assumeRole' }, problem: xml },
    {
      pattern: /^\/assumeRoleWithWebIdentity$/,
      operations: { POST: 'assumeRoleWithWebIdentity' },
      problem: xml,
    },
    { pattern: /^\/callerIdentity$/, operations: { POST: 'callerIdentity' }, problem: xml },
    { pattern: /^\/token\/?$/, operations: { GET: 'auth', POST: 'auth' }, problem: distribution },
    { pattern: /^\/v2\/$/, operations: { GET: 'enter' }, problem: distribution },
  ];
}
