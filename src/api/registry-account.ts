import { X509Certificate } from 'node:crypto';
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

/** What an account's spec says when a field is left out; the same as the defaults in its CRD. */
export const ACCOUNT_DEFAULTS = {
  maxAccess: 'ReadOnly',
  requestsPerSecond: 5,
  verify: 'Always',
} as const;

/**
 * What is wrong with a spec that the API server took: what rules can't say, and what CEL rules say, since one older than 1.25 drops
 * those.
 * @returns undefined when nothing is
 */
export function accountFault(spec: RegistryAccountSpec): string | undefined {
  const { regions = [], limits = {}, caBundle = '' } = spec;
  if (caBundle !== '' && !isCertificates(caBundle))
    return 'spec.caBundle holds no certificate in PEM form; it begins with -----BEGIN CERTIFICATE-----';
  const [field, url] = urlsOf(spec).find(([, each]) => each !== undefined && !URL_FORM.test(each)) ?? [];
  // It is not repeated: it may hold a password.
  if (url !== undefined)
    return `spec.${field} takes an HTTP or HTTPS URL without user name, query and fragment, such as https://us.icr.io`;
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

/** As the CRD has it. */
const URL_FORM = /^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/;

function urlsOf({
  ibmCloud,
  ibmRegistryTokens,
  harbor,
  ecr,
  regions = [],
}: RegistryAccountSpec): [field: string, url: string | undefined][] {
  return [
    ['ibmCloud.iamEndpoint', ibmCloud?.iamEndpoint],
    ['ibmRegistryTokens.iamEndpoint', ibmRegistryTokens?.iamEndpoint],
    ['harbor.url', harbor?.url],
    ['ecr.stsEndpoint', ecr?.stsEndpoint],
    ['ecr.publicEndpoint', ecr?.publicEndpoint],
    ...regions.map(({ name, endpoint }): [string, string | undefined] => [
      `regions[${prefix(name, 64)}].endpoint`,
      endpoint || undefined,
    ]),
  ];
}

const PEM = /-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----/g;

function isCertificates(text: string): boolean {
  const certificates = text.match(PEM) ?? [];
  try {
    return certificates.map((each) => new X509Certificate(each)).length > 0;
  } catch {
    return false;
  }
}
