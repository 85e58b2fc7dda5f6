import type { ObjectMeta } from '../common/objects.ts';
import { parseDuration } from './syntax/duration.ts';
import type { RegistryAccountSpec, RegistryAccountStatus } from './generated/registryaccount.ts';
import { isRegistryHost } from './syntax/host.ts';
import { prefix } from './syntax/text.ts';

export type { RegistryAccountSpec, RegistryAccountStatus } from './generated/registryaccount.ts';

export interface RegistryAccount {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: RegistryAccountSpec;
  status?: RegistryAccountStatus;
}

/** Key of the credentials Secret that holds the API key. */
export const API_KEY_FIELD = 'apikey';

/** What an account's spec says when a field is left out; the same as the defaults in its CRD. */
export const ACCOUNT_DEFAULTS = {
  iamEndpoint: 'https://iam.cloud.ibm.com',
  defaultRegion: 'us-south',
  maxAccess: 'ReadWrite',
  requestsPerSecond: 5,
  verify: 'Always',
} as const;

/**
 * What is wrong with a spec that an API server older than 1.25 takes, since it drops CEL rules.
 * @returns undefined when nothing is
 */
export function accountFault({ regions = [], limits = {} }: RegistryAccountSpec): string | undefined {
  const region = regions.find(({ host }) => !isRegistryHost(host));
  if (region)
    return `spec.regions holds host ${JSON.stringify(prefix(region.host, 64))}; it takes the host of a registry as in images' names, in lower case, such as us.icr.io, registry:5000 or [fd00::1]:5000`;
  const { maxLifetime } = limits;
  if (maxLifetime === undefined) return undefined;
  const longest = parseDuration(maxLifetime);
  const what =
    longest === undefined
      ? 'it takes a duration in hours, minutes and seconds, such as 24h, 1h30m or 45s; a day is 24h'
      : longest < 60_000 && 'it takes at least 1m';
  return what ? `spec.limits.maxLifetime is ${JSON.stringify(prefix(maxLifetime, 64))}; ${what}` : undefined;
}
