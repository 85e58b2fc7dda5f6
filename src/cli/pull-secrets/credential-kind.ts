import { claimsOf } from '../../registry/jwt.ts';
import type { RegistryEntry } from './docker-config.ts';

type Pattern = { user: RegExp; host?: RegExp; kind: string };

/**
 * What a user name says of a credential. The value says nothing: nothing here knows a secret by its looks.
 * @see https://cloud.ibm.com/docs/Registry?topic=Registry-registry_access for icr.io; the other registries' documentation likewise
 */
const KINDS: readonly Pattern[] = [
  { user: /^iamapikey$/, kind: 'IBM Cloud API key' },
  { user: /^iambearer$/, kind: 'IBM Cloud access token' },
  { user: /^iamrefresh$/, kind: 'IBM Cloud refresh token' },
  { user: /^(iam-)?Profile-/, host: /(^|\.)icr\.io$/, kind: 'IBM Cloud API key for a trusted profile' },
  {
    user: /^token$/,
    host: /(^|\.)icr\.io$|^(registry|registry\..+)\.bluemix\.net$/,
    kind: 'IBM registry token',
  },
  { user: /^robot\$/, kind: 'Harbor robot account' },
  { user: /^AWS$/, kind: 'Amazon ECR authorization token' },
  { user: /^_json_key(_base64)?$/, kind: 'Google service account key' },
  { user: /^oauth2accesstoken$/, kind: 'Google access token' },
  { user: /^0{8}-0{4}-0{4}-0{4}-0{12}$/, kind: 'Azure refresh token' },
  { user: /^gitlab\+deploy-token-\d+$/, kind: 'GitLab deploy token' },
  { user: /^gitlab-ci-token$/, kind: 'GitLab job token' },
  { user: /^[^+]+\+[^+]+$/, host: /^quay\.io$/, kind: 'Quay robot account' },
  { user: /^\$oauthtoken$/, host: /^nvcr\.io$/, kind: 'NVIDIA NGC API key' },
  { user: /^nologin$/, host: /\.scw\.cloud$/, kind: 'Scaleway API key' },
];

/** What kind of credential it is, in words; undefined where the user name does not tell, as with users of a registry. */
export function credentialKind({ username, host = '' }: RegistryEntry): string | undefined {
  return KINDS.find((pattern) => pattern.user.test(username) && (!pattern.host || pattern.host.test(host)))
    ?.kind;
}

/** Characters of a value that is decoded: tokens of registries have some thousand. */
const MAX_VALUE = 65_536;
/** The latest time that can be written with four digits for the year. */
const MAX_TIME = Date.UTC(9999, 11, 31);

/**
 * When a credential expires, as far as it says so itself: a JWT does, and what Amazon ECR gives.
 * @returns milliseconds since 1970; undefined where only the registry knows
 */
export function credentialExpiry({ username, password }: RegistryEntry): number | undefined {
  const value = password.reveal();
  if (value.length > MAX_VALUE) return undefined;
  const seconds = username === 'AWS' ? ecrExpiration(value) : claimsOf(value)?.['exp'];
  if (typeof seconds !== 'number' || !(seconds > 0 && seconds * 1_000 <= MAX_TIME)) return undefined;
  return Math.floor(seconds) * 1_000;
}

/** The password of an ECR authorization token is base64 of JSON, with `expiration` in seconds since 1970 beside what is encrypted. */
function ecrExpiration(value: string): unknown {
  try {
    const content = JSON.parse(Buffer.from(value, 'base64').toString()) as { expiration?: unknown } | null;
    return content?.expiration;
  } catch {
    return undefined;
  }
}
