import { parseDuration } from '../../api/syntax/duration.ts';
import type { Redacted } from '../../common/redacted.ts';
import type { Capabilities, Connection, IssueRequest, Place, Places, Tools } from '../back-end.ts';
import type { PlaceClient } from '../http/place-client.ts';
import { readKeys, type EcrCredentials } from './credentials.ts';
import { EcrRegistry } from './ecr-registry.ts';
import { AwsIdentity, type Environment } from './identity.ts';
import { homeRegion, placesOf, tokenServiceOf, type DeclaredRegion } from './regions.ts';
import { SharedExchanges } from './shared-exchanges.ts';

/** `ecr` in a RegistryAccount's spec. */
export interface EcrBlock {
  /** The AWS account whose private registry it is, twelve digits; of public ECR, the account whose repositories are pushed to. */
  registryId?: string | undefined;
  /** Public ECR (public.ecr.aws) in place of a private registry. */
  public?: boolean | undefined;
  /** The role that every token is a session of. */
  roleArn?: string | undefined;
  /** What the role's trust policy asks for. */
  externalId?: string | undefined;
  /** From 15m to 12h; 1h unless told. */
  roleSessionDuration?: string | undefined;
  /** Without a role: what the account's own identity can do at the registry, and so can every token. */
  identityAccess?: IssueRequest['access'] | undefined;
  /** Base URL of the token service in place of AWS's. */
  stsEndpoint?: string | undefined;
  /** Base URL of public ECR's API in place of AWS's. */
  publicEndpoint?: string | undefined;
}

const HOUR = 3_600_000;
const MIN_SESSION = 900_000;
const MAX_SESSION = 12 * HOUR;
/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html */
const TOKEN_LIFETIME = 12 * HOUR;
/** What an account without a role that also names no access of its identity is told. */
const NEITHER =
  'ecr of the account has neither roleArn nor identityAccess: set roleArn to a role that the operator can assume, and tokens are limited to their access and scope; or set identityAccess to what the identity itself can do at the registry (ReadOnly or ReadWrite), which all tokens then can';

/** Amazon Elastic Container Registry: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html */
export const ECR = {
  name: 'ecr',
  title: 'Amazon ECR',

  /** Only a session of a role can be limited. */
  capabilities({ roleArn, identityAccess, roleSessionDuration }: EcrBlock): Capabilities {
    const common = {
      issue: 'exchanged',
      find: 'none',
      readBack: false,
      revoke: false,
      settling: { acceptance: 0, listing: 0 },
    } as const;
    return roleArn === undefined
      ? {
          ...common,
          access: identityAccess === undefined ? [] : [identityAccess],
          lifetimes: { kind: 'fixed', expected: TOKEN_LIFETIME },
          scope: undefined,
        }
      : {
          ...common,
          access: ['ReadOnly', 'ReadWrite'],
          lifetimes: { kind: 'fixed', expected: sessionDuration(roleSessionDuration) },
          scope: { name: 'repository', many: true },
        };
  },

  places: (block: EcrBlock, declared: readonly DeclaredRegion[]): Places => placesOf(block, declared),

  /** @param data of the credentials Secret; undefined: the account names none */
  readCredentials(
    data: ReadonlyMap<string, Redacted> | undefined,
    block: EcrBlock,
  ): { credentials: EcrCredentials } | { problem: string } {
    if (block.roleArn === undefined && block.identityAccess === undefined) return { problem: NEITHER };
    if (block.registryId === undefined && !block.public)
      return { problem: 'ecr of the account has no registryId: set it to the number of the AWS account' };
    return readKeys(data);
  },

  connect(
    { name, block, credentials }: { name: string; block: EcrBlock; credentials: EcrCredentials },
    tools: Tools<PlaceClient> & { environment: Environment },
  ): Connection {
    const { roleArn, externalId, stsEndpoint } = block;
    const { environment, clock } = tools;
    const identity = new AwsIdentity({
      account: name,
      credentials,
      stsEndpoint,
      externalId,
      environment,
      tools,
    });
    const exchanges = new SharedExchanges(clock);
    const capabilities = ECR.capabilities(block);
    const duration = sessionDuration(block.roleSessionDuration);
    const role = roleArn === undefined ? undefined : { roleArn, duration };
    return {
      async verify(signal) {
        const region = homeRegion(block, credentials.kind === 'pod' ? environment.AWS_REGION : undefined);
        const { endpoint } = tokenServiceOf(region, stsEndpoint);
        const home: Place = { region, host: '', endpoint };
        const keys = await identity.keys(home, { operation: 'verify', guard: undefined }, signal);
        if (!role) return { identity: await identity.accountId(home, keys, signal) };
        // Whether it can be assumed is not known before it is tried.
        const nothing = { ...role, policy: NOTHING, duration: MIN_SESSION };
        await identity.assume(home, keys, nothing, { operation: 'verify', guard: undefined }, signal);
        return { identity: role.roleArn.split(':')[4] ?? '' };
      },
      registry: (place) => new EcrRegistry({ place, block, role, identity, exchanges, capabilities, tools }),
    };
  },
};

/** For a session that only shows that there can be one. */
const NOTHING = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
});

/** Milliseconds that sessions of the role last. */
function sessionDuration(text = '1h'): number {
  return Math.min(Math.max(parseDuration(text) ?? HOUR, MIN_SESSION), MAX_SESSION);
}
