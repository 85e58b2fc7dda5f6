import type { RegistryAccountSpec } from '../../../../src/api/registry-account.ts';
import { Redacted } from '../../../../src/common/redacted.ts';
import { RegistryDirectory, type AccountCredentials } from '../../../../src/registry/directory.ts';
import { RegistryError } from '../../../../src/registry/errors.ts';
import type { RegistryMetrics } from '../../../../src/registry/http/metrics.ts';
import type { IssueRequest, ListedToken, Registry } from '../../../../src/registry/port.ts';
import { providerOf } from '../../../../src/registry/backends.ts';
import { registerSecret } from '../../../support/secrecy.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { aJwt } from './jwt.ts';

export const API_KEY = 'an+API/key that=is secret';
export const ACCOUNT_ID = '0123456789abcdef0123456789abcdef';
export const IAM = 'https://iam.cloud.ibm.com';
export const REGISTRY = 'https://us.icr.io';
export const NEVER = new AbortController().signal;
/** Milliseconds. */
export const TIMEOUT = 30_000;

registerSecret(API_KEY);

interface AccountPart {
  name?: string;
  requestsPerSecond?: number;
  apiKey?: string;
  /** Of the account's spec. */
  spec?: Partial<RegistryAccountSpec>;
}

/** An account of IBM registry tokens, unless its spec says otherwise. */
export function anAccount({
  name = 'default',
  requestsPerSecond = 1000,
  apiKey = API_KEY,
  spec = {},
}: AccountPart = {}): AccountCredentials {
  const provider = providerOf({
    ibmRegistryTokens: { iamEndpoint: IAM },
    credentialsSecretRef: { name: 'ibm-cloud' },
    ...spec,
  });
  const credentials = provider?.readCredentials(new Map([['apikey', new Redacted(apiKey)]]));
  if (!credentials || 'problem' in credentials) throw new Error(credentials?.problem);
  return { name, credentials, requestsPerSecond };
}

/** IAM's answer to an exchange. */
export function anExchange(part: object = {}, claims: object = {}): Record<string, unknown> {
  return {
    access_token: aJwt({ iam_id: 'iam-ServiceId-1', account: { valid: true, bss: ACCOUNT_ID }, ...claims }),
    refresh_token: 'not_supported',
    ims_user_id: 118,
    token_type: 'Bearer',
    expires_in: 3600,
    expiration: 1473188353,
    scope: 'ibm openid',
    ...part,
  };
}

export type Observation = Parameters<RegistryMetrics['requested']>[0] & { milliseconds: number };

/** A directory on a virtual clock, and what it told the metrics. */
export function aDirectory(
  clock = new VirtualClock(),
  guard?: () => void,
): {
  clock: VirtualClock;
  directory: RegistryDirectory;
  observed: Observation[];
} {
  const observed: Observation[] = [];
  const directory = new RegistryDirectory({
    clock,
    userAgent: 'registry-token-operator/1.2.3',
    timeout: TIMEOUT,
    guard,
    metrics: { requested: (labels, milliseconds) => observed.push({ ...labels, milliseconds }) },
  });
  return { clock, directory, observed };
}

/** What a promise failed with; fails when it did not, or not with a RegistryError. */
export async function errorOf(promise: Promise<unknown>): Promise<RegistryError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof RegistryError) return error;
  throw error;
}

/** A request for a token for a day. */
export function aRequest(part: Partial<IssueRequest> = {}): IssueRequest {
  return {
    tag: { clusterId: 'cluster-1', uid: 'uid-1', revision: 1 },
    specHash: '0123456789abcdef',
    description: 'd',
    access: 'ReadOnly',
    lifetime: 86_400_000,
    scope: [],
    ...part,
  };
}

/** A registry that can do all that registries can. */
export type WholeRegistry = Registry & Required<Pick<Registry, 'read' | 'revoke' | 'list'>>;

/** The registry of an account in a region. */
export function registryOf(
  directory: RegistryDirectory,
  account = anAccount(),
  region = 'us-south',
): WholeRegistry {
  return directory.registry(account, region) as WholeRegistry;
}

/** Every row of a list. */
export const listOf = (registry: WholeRegistry, signal = NEVER): Promise<ListedToken[]> =>
  registry.list([], (row) => row, signal);
