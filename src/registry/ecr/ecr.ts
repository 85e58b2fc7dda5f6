import { parseDuration } from '../../api/syntax/duration.ts';
import type { BackEnd, Capabilities, IssueRequest, Place } from '../port.ts';
import { readKeys, type EcrCredentials } from './credentials.ts';
import { EcrRegistry } from './ecr-registry.ts';
import { AwsIdentity } from './identity.ts';
import { homeRegion, placesOf, tokenServiceOf } from './regions.ts';
import { SharedExchanges } from './shared-exchanges.ts';

/** `ecr` in a RegistryAccount's spec. */
export interface EcrBlock {
  /** The AWS account whose private registry it is, twelve digits; of public ECR, the account whose repositories are pushed to. */
  registryId?: string | undefined;
  /** Public ECR (public.ecr.aws) in place of a private registry. */
  public?: boolean | undefined;
  /** The role that every token is a session of. */
  roleArn?: string | undefined;
  /** The external ID that the role's trust policy requires. */
  externalId?: string | undefined;
  /** From 15m to 12h; default: 1h. */
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
/** Message for an account that has neither a role nor an identityAccess. */
const NEITHER =
  'spec.ecr has neither roleArn nor identityAccess: set roleArn to a role that the operator can assume, and tokens are limited to their access and scope; or set identityAccess to what the identity itself can do at the registry (ReadOnly or ReadWrite), which all tokens then can';

/** Amazon Elastic Container Registry: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html */
export const ECR: BackEnd<EcrBlock, EcrCredentials> = {
  title: 'Amazon ECR',

  /** Only a session of a role can be limited. */
  capabilities({ roleArn, identityAccess, roleSessionDuration }): Capabilities {
    const common = {
      issue: 'exchanged',
      find: 'none',
      readBack: false,
      revoke: false,
      settling: { acceptance: 0, listing: 0, absence: 0 },
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
          scope: { name: 'repository', covers: 'repository', many: true, listedApart: false },
        };
  },

  places: placesOf,
  identity: ({ roleArn }) => (roleArn === undefined ? undefined : accountOf(roleArn)),

  fault({ roleArn, identityAccess, registryId, public: isPublic = false }) {
    if (roleArn === undefined && identityAccess === undefined) return NEITHER;
    if (roleArn !== undefined && identityAccess !== undefined)
      return 'spec.ecr takes roleArn or identityAccess, not both: take one out';
    if (registryId === undefined ? isPublic : /^\d{12}$/.test(registryId)) return undefined;
    return 'spec.ecr.registryId takes the twelve digits of an AWS account, such as 123456789012';
  },

  readCredentials: readKeys,

  connect({ name, block, credentials }, tools) {
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
        // Only an attempt shows whether the role can be assumed.
        const nothing = { ...role, policy: NOTHING, duration: MIN_SESSION };
        await identity.assume(home, keys, nothing, { operation: 'verify', guard: undefined }, signal);
        return { identity: accountOf(role.roleArn) };
      },
      registry: (place) => new EcrRegistry({ place, block, role, identity, exchanges, capabilities, tools }),
    };
  },
};

/** The AWS account of a role. */
function accountOf(roleArn: string): string {
  return roleArn.split(':')[4] ?? '';
}

/** Policy of a session that only proves that the role can be assumed. */
const NOTHING = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
});

/** Milliseconds that sessions of the role last. */
function sessionDuration(text = '1h'): number {
  return Math.min(Math.max(parseDuration(text) ?? HOUR, MIN_SESSION), MAX_SESSION);
}
