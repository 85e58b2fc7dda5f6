import { registryHost } from '../../api/syntax/host.ts';
import { Redacted } from '../../common/redacted.ts';
import { PAYLOAD_KEY, SECRET_TYPE, type Secret } from '../../token/secret/secret.ts';

/** The type that `kubectl create secret docker-registry` made before 2015, and OpenShift still makes: the hosts without `auths`. */
export const DOCKERCFG_TYPE = 'kubernetes.io/dockercfg';
const DOCKERCFG_KEY = '.dockercfg';

/** The types of Secrets that kubelet pulls images with. */
export const PULL_SECRET_TYPES = [SECRET_TYPE, DOCKERCFG_TYPE] as const;

/** A registry in a docker configuration, and the credential for it. */
export interface RegistryEntry {
  /** As it is written there. */
  key: string;
  /** As kubelet matches it against images; undefined where it matches none, or only part of a registry. */
  host: string | undefined;
  username: string;
  password: Redacted;
}

/** What a Secret says to kubelet. */
export type DockerConfig = { entries: readonly RegistryEntry[] } | { flaw: string };

/**
 * Reads a pull secret as kubelet does (pkg/credentialprovider/config.go): one entry that can't be read spoils all of it, and
 * `auth` takes the place of `username` and `password`.
 * @returns a flaw that quotes nothing of it
 */
export function readDockerConfig({ type, data }: Pick<Secret, 'type' | 'data'>): DockerConfig {
  const key = type === DOCKERCFG_TYPE ? DOCKERCFG_KEY : PAYLOAD_KEY;
  const encoded = data?.[key];
  if (typeof encoded !== 'string' || encoded === '') return { flaw: `has no ${key}` };
  let configuration: unknown;
  try {
    configuration = JSON.parse(Buffer.from(encoded, 'base64').toString());
  } catch {
    return { flaw: `holds no JSON in ${key}` };
  }
  if (!isObject(configuration)) return { flaw: `holds no docker configuration in ${key}` };
  // Go gives a field that is not there, or is null, its zero value.
  const auths = type === DOCKERCFG_TYPE ? configuration : (configuration['auths'] ?? {});
  if (!isObject(auths)) return { flaw: `holds no docker configuration in ${key}` };
  const entries: RegistryEntry[] = [];
  for (const [host, value] of Object.entries(auths)) {
    const credential = readEntry(value ?? {});
    if (!credential) return { flaw: `holds an entry in ${key} that kubelet can't read` };
    entries.push({ key: host, host: registryHost(host), ...credential });
  }
  return entries.length > 0 ? { entries } : { flaw: `names no registry in ${key}` };
}

/** User and password, to compare: a value, and to be kept nowhere. */
export function credentialOf({ username, password }: RegistryEntry): string {
  return JSON.stringify([username, password.reveal()]);
}

function readEntry(value: unknown): Pick<RegistryEntry, 'username' | 'password'> | undefined {
  if (!isObject(value)) return undefined;
  const { username, password, auth } = value;
  if (![username, password, auth].every(isTextOrNothing)) return undefined;
  if (auth) return readAuth(auth as string);
  return { username: (username ?? '') as string, password: new Redacted((password ?? '') as string) };
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Go's decoder takes line breaks, and wants padding where there is any. */
function readAuth(auth: string): Pick<RegistryEntry, 'username' | 'password'> | undefined {
  const text = auth.replaceAll(/[\r\n]/g, '');
  const padded = text.endsWith('=');
  if (!BASE64.test(text) || (padded ? text.length % 4 !== 0 : text.length % 4 === 1)) return undefined;
  // Not slices of a string: the user name would keep the password in memory with it.
  const pair = Buffer.from(text, 'base64');
  const colon = pair.indexOf(':');
  if (colon < 0) return undefined;
  const [username, password] = [pair.subarray(0, colon), pair.subarray(colon + 1)].map(String);
  return { username: username ?? '', password: new Redacted(password ?? '') };
}

const isTextOrNothing = (value: unknown): boolean =>
  value === undefined || value === null || typeof value === 'string';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
