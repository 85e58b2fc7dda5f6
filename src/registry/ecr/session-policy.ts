import type { IssueRequest } from '../port.ts';
import { RegistryError } from '../errors.ts';

type Access = IssueRequest['access'];

/** The registry that a session is limited to. */
export interface PolicySubject {
  /** As in ARNs. */
  partition: string;
  region: string;
  registryId: string | undefined;
  public: boolean;
}

/** Most characters of a session policy: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const MAX_POLICY = 2_048;
/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html */
const REPOSITORY = /^(?=.{2,256}$)(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html */
const PUSH = ['InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload', 'PutImage'];
const PULL = ['BatchCheckLayerAvailability', 'GetDownloadUrlForLayer', 'BatchGetImage'];

/**
 * The policy of a session: get authorization tokens, and pull from (and push to) the repositories of a scope.
 * @param scope names of repositories; empty: all of the registry
 * @throws RegistryError InvalidRequest for an invalid name of a repository, and for more names than fit into a policy
 */
export function sessionPolicy(subject: PolicySubject, access: Access, scope: readonly string[]): string {
  const wrong = scope.find((name) => !REPOSITORY.test(name));
  if (wrong !== undefined)
    throw new RegistryError(
      'InvalidRequest',
      `${JSON.stringify(wrong.slice(0, 256))} in spec.scope is not a valid name of an ECR repository; correct it`,
    );
  const service = subject.public ? 'ecr-public' : 'ecr';
  const { partition, region, registryId = '*' } = subject;
  const at = `arn:${partition}:${service}:${subject.public ? '' : region}:${registryId}:repository/`;
  const names = scope.length === 0 ? ['*'] : scope;
  const actions = actionsOf(access, subject.public);
  const login = [
    `${service}:GetAuthorizationToken`,
    ...(subject.public ? ['sts:GetServiceBearerToken'] : []),
  ];
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: login, Resource: '*' },
      ...(actions.length === 0
        ? []
        : [
            {
              Effect: 'Allow',
              Action: actions.map((action) => `${service}:${action}`),
              Resource: names.map((name) => at + name),
            },
          ]),
    ],
  });
  if (policy.length <= MAX_POLICY) return policy;
  throw new RegistryError(
    'InvalidRequest',
    `the ${scope.length} repositories of spec.scope don't fit into a session policy, of which AWS takes ${MAX_POLICY} characters (${policy.length} would be needed); split them over several RegistryTokens, or use a role that has only these repositories and leave spec.scope empty`,
  );
}

/** Pulling from public ECR needs no permission. */
function actionsOf(access: Access, isPublic: boolean): string[] {
  if (access === 'ReadWrite') return isPublic ? ['BatchCheckLayerAvailability', ...PUSH] : [...PULL, ...PUSH];
  return isPublic ? [] : PULL;
}
