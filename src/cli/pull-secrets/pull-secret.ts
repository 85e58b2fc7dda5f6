import { createHmac } from 'node:crypto';
import type { ManagedFieldsEntry, ObjectMeta } from '../../common/objects.ts';
import { fromTime } from '../../api/syntax/time.ts';
import { credentialExpiry, credentialKind } from './credential-kind.ts';
import { credentialOf, readDockerConfig, type RegistryEntry } from './docker-config.ts';
import { shortened, tellerOf } from './told-texts.ts';
import { keeperOf, type Keeper, type SecretOwner } from './keeper.ts';

/** What is kept of a pull secret: no value, and so little that a hundred thousand of them fit into memory. */
export interface PullSecret {
  namespace: string;
  name: string;
  type: string;
  /** Milliseconds since 1970; undefined where the API server does not say. */
  created: number | undefined;
  /** When its content was written last, likewise. */
  written: number | undefined;
  /** The first of its registries, as `registryHost` has them; as they are written there where that has none. */
  hosts: readonly string[];
  /** How many registries there are beyond these. */
  moreHosts: number;
  users: readonly string[];
  /** What the user names say of the credentials. */
  kinds: readonly string[];
  /** When the first of its credentials expires, as far as they say so; milliseconds since 1970. */
  expires: number | undefined;
  keeper: Keeper | undefined;
  /** Why kubelet can't pull with it: what follows after "it". */
  flaw: string | undefined;
  credentials: readonly HeldCredential[];
}

/** A credential that a pull secret holds. */
export interface HeldCredential {
  /** To compare it with those of other Secrets: never shown. */
  fingerprint: string;
  user: string;
  /** The first of its registries there. */
  hosts: readonly string[];
}

/** A Secret as the API server lists it. */
interface ListedSecret {
  metadata: ObjectMeta;
  type?: string;
  data?: Record<string, string>;
}

const MAX_HOSTS = 64;
/** Of users and kinds. */
const MAX_USERS = 4;
const MAX_CREDENTIALS = 8;
/** Bytes of a fingerprint: two of a million differ with certainty enough. */
const FINGERPRINT_LENGTH = 12;

/**
 * Reads a pull secret and forgets its values.
 * @param owners the RegistryTokens that want a Secret of this name
 * @param key random, and only for this run: without it, a fingerprint says nothing of the value that it is of
 */
export function readPullSecret(
  secret: ListedSecret,
  owners: readonly SecretOwner[],
  key: Uint8Array,
): PullSecret {
  const { metadata, type = '' } = secret;
  const config = readDockerConfig(secret);
  const entries = 'flaw' in config ? [] : config.entries;
  const told = tellerOf(entries);
  const hostsOf = (some: readonly RegistryEntry[]): string[] =>
    distinct(some.map(({ host, key: text }) => host ?? text));
  const hosts = hostsOf(entries);
  // Most Secrets have one credential for many hosts.
  const credentials = [...Map.groupBy(entries, credentialOf).values()];
  const expiries = credentials.flatMap(([entry]) => (entry && credentialExpiry(entry)) ?? []);
  const keeper = keeperOf(metadata, owners);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    type,
    created: fromTime(metadata.creationTimestamp),
    written: lastWritten(metadata.managedFields),
    hosts: distinct(hosts.slice(0, MAX_HOSTS).map(told)),
    moreHosts: Math.max(hosts.length - MAX_HOSTS, 0),
    users: distinct(entries.map(({ username }) => username))
      .slice(0, MAX_USERS)
      .map(told),
    kinds: distinct(entries.flatMap((entry) => credentialKind(entry) ?? [])).slice(0, MAX_USERS),
    expires: expiries.length > 0 ? expiries.reduce((first, each) => Math.min(first, each)) : undefined,
    keeper: keeper && { ...keeper, object: shortened(keeper.object) },
    flaw: 'flaw' in config ? config.flaw : undefined,
    credentials: credentials
      .flatMap((same) => {
        const [entry] = same;
        if (!entry || entry.password.reveal() === '') return [];
        const own = distinct(hostsOf(same).slice(0, MAX_HOSTS).map(told));
        return { fingerprint: fingerprint(entry, key), user: told(entry.username), hosts: own };
      })
      .slice(0, MAX_CREDENTIALS),
  };
}

/** The same for the same user and password, whatever registry it is for. */
function fingerprint(entry: RegistryEntry, key: Uint8Array): string {
  return createHmac('sha256', key)
    .update(credentialOf(entry))
    .digest()
    .subarray(0, FINGERPRINT_LENGTH)
    .toString('latin1');
}

/** When any field manager wrote the data last, labels and annotations left aside. */
function lastWritten(managedFields: readonly ManagedFieldsEntry[] | undefined): number | undefined {
  const times = (managedFields ?? []).flatMap((entry) => {
    const fields = entry.fieldsV1 as { 'f:data'?: unknown } | undefined;
    return (fields?.['f:data'] === undefined ? undefined : fromTime(entry.time)) ?? [];
  });
  return times.length > 0 ? times.reduce((last, each) => Math.max(last, each)) : undefined;
}

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];
