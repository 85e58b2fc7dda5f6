import { Redacted } from '../../../../src/common/redacted.ts';
import { RegistryDirectory, type AccountCredentials } from '../../../../src/registry/directory.ts';
import { RegistryError } from '../../../../src/registry/errors.ts';
import type { RegistryMetrics } from '../../../../src/registry/http/metrics.ts';
import type { ListedToken } from '../../../../src/registry/port.ts';
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

export function anAccount(part: Partial<AccountCredentials> = {}): AccountCredentials {
  return {
    name: 'default',
    provider: 'IBMRegistryTokens',
    iamEndpoint: IAM,
    apiKey: new Redacted(API_KEY),
    regions: [],
    requestsPerSecond: 1000,
    ...part,
  };
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

/** Keeps every row of a list as it is. */
export const asListed = (row: ListedToken): ListedToken => row;
