import { repeated, UsageError } from '../shared/options.ts';
import type { RegistryKind } from '../registry-kind.ts';
import { Ecr } from './ecr.ts';
import type { Role, User } from './principals.ts';

interface Options {
  accessKey: Pick<User, 'accessKeyId' | 'secretAccessKey'>;
  registryId: string;
  region: string;
  role?: string[];
  public?: boolean;
}

const REGISTRY_ID = '123456789012';
const REGION = 'us-east-1';
const ACCESS_KEY = { accessKeyId: 'AKIASANDBOXACCESSKEY', secretAccessKey: 'sandbox-secret-access-key' };
const ROLE = `arn:aws:iam::${REGISTRY_ID}:role/sandbox`;
const ANYTHING = { effect: 'Allow', actions: ['*'], resources: ['*'] } as const;
const MAX_SESSION = 12 * 3_600_000;

/** Amazon ECR with STS. */
export const ECR: RegistryKind = {
  title: 'Amazon ECR',

  describe(command) {
    command
      .description('Amazon ECR of one region, private or public, and STS with users and roles')
      .requiredOption(
        '--access-key <id:secret>',
        'access key of a user who may do anything, for the operator',
        parseAccessKey,
      )
      .option('--registry-id <account>', 'AWS account whose registry it is', REGISTRY_ID)
      .option('--region <name>', 'region of the registry', REGION)
      .option(
        '--role <arn>',
        'role that the user can assume, and that may do anything; can be repeated',
        repeated((text) => text),
      )
      .option('--public', 'be the public ECR');
    return (clock) => {
      const { accessKey, registryId, region, role = [], public: isPublic = false } = command.opts<Options>();
      const user = userOf(registryId, accessKey);
      const roles = role.map((arn) => roleOf(arn, user));
      return new Ecr({ clock, registryId, region, users: [user], roles, public: isPublic });
    };
  },

  prepare(clock) {
    const user = userOf(REGISTRY_ID, ACCESS_KEY);
    const roles = [roleOf(ROLE, user)];
    return {
      fake: new Ecr({ clock, registryId: REGISTRY_ID, region: REGION, users: [user], roles }),
      credentials: ACCESS_KEY,
      account: (url, host) => ({
        ecr: { registryId: REGISTRY_ID, roleArn: ROLE, stsEndpoint: url },
        regions: [{ name: REGION, host, endpoint: url }],
      }),
      scopes: ['team/app', 'other/app'].map((name) => ({ name, repository: name })),
    };
  },
};

function userOf(account: string, key: Options['accessKey']): User {
  return { arn: `arn:aws:iam::${account}:user/operator`, ...key, permissions: [ANYTHING] };
}

function roleOf(arn: string, { arn: user }: User): Role {
  return { arn, trusts: [user], maxSessionDuration: MAX_SESSION, permissions: [ANYTHING] };
}

function parseAccessKey(text: string): Options['accessKey'] {
  const [, accessKeyId, secretAccessKey] = /^([^:]+):(.+)$/.exec(text) ?? [];
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new UsageError('an --access-key is not ID:SECRET');
  return { accessKeyId, secretAccessKey };
}
