import type { RegistryToken } from '../../api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../api/resources.ts';
import type { KubeObject, Resource } from '../../common/objects.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { KubeError } from '../../kube/client/errors.ts';
import { PODS, SECRETS, SERVICE_ACCOUNTS } from '../../kube/client/resources.ts';
import { wantedSecret } from '../../token/secret/claimants.ts';
import type { Pod } from '../../token/workloads/pods.ts';
import { missingRight, type MissingRight } from '../failure.ts';
import { scan } from '../scan.ts';
import { PULL_SECRET_TYPES } from './docker-config.ts';
import type { SecretOwner } from './keeper.ts';
import { readPullSecret, type PullSecret } from './pull-secret.ts';
import { SecretReferences, type SecretUse } from './references.ts';

/** The pull secrets of a cluster or namespace. */
export interface Survey {
  secrets: readonly PullSecret[];
  usedBy: (secret: PullSecret) => SecretUse;
  /** What could not be read: nothing is said of it. */
  missing: readonly MissingRight[];
}

export interface SurveyOptions {
  client: KubeClient;
  /** undefined: all. */
  namespace: string | undefined;
  signal: AbortSignal;
  /** Random, and only for this run. */
  key: Uint8Array;
  /** Told how far it has come. */
  progress: (line: string) => void;
}

/** Pods that have ended use no Secret any more. */
const NOT_ENDED = 'status.phase!=Succeeded,status.phase!=Failed';

/**
 * Reads all pull secrets, and who names them, page by page: what is kept of each does not depend on its size, and of pods and
 * ServiceAccounts nothing is kept but their number and the first names.
 * @throws KubeError where Secrets or RegistryTokens may not be listed; the signal's reason
 */
export async function surveyPullSecrets(options: SurveyOptions): Promise<Survey> {
  const { key, progress } = options;
  const owners = await readOwners(options);
  const secrets: PullSecret[] = [];
  for (const type of PULL_SECRET_TYPES) {
    const read: PullSecret[] = [];
    await each(options, SECRETS, `type=${type}`, () => {
      read.length = 0;
      return (secret) => {
        const { namespace, name } = secret.metadata;
        read.push(readPullSecret(secret, owners.get(`${namespace}/${name}`) ?? [], key));
        if (read.length % 1_000 === 0) progress(`${secrets.length + read.length} pull secrets`);
      };
    });
    for (const secret of read) secrets.push(secret);
  }
  progress(`${secrets.length} pull secrets; who names them`);
  const missing: MissingRight[] = [];
  const accounts = await countReferences(options, missing, SERVICE_ACCOUNTS, secrets, (object) => object);
  const pods = await countReferences(options, missing, PODS, secrets, (object) => {
    const { metadata, spec } = object as Pod;
    return { metadata, ...(spec.imagePullSecrets && { imagePullSecrets: spec.imagePullSecrets }) };
  });
  return {
    secrets,
    missing,
    usedBy: (secret) => {
      const named = accounts?.of(secret);
      return {
        ...(pods && { pods: pods.of(secret).count }),
        ...(named && { serviceAccounts: named.names }),
        ...(named && named.count > named.names.length
          ? { moreServiceAccounts: named.count - named.names.length }
          : {}),
      };
    },
  };
}

/** The RegistryTokens by namespace and name of the Secret that they want; none where the cluster has no such kind. */
async function readOwners(options: SurveyOptions): Promise<ReadonlyMap<string, readonly SecretOwner[]>> {
  const owners = new Map<string, SecretOwner[]>();
  try {
    await each(options, REGISTRY_TOKENS, undefined, () => {
      owners.clear();
      return (token) => {
        const { namespace, name, uid } = token.metadata;
        const wanted = `${namespace}/${wantedSecret(token as RegistryToken)}`;
        owners.set(wanted, [...(owners.get(wanted) ?? []), { name, uid }]);
      };
    });
  } catch (error) {
    if (!(error instanceof KubeError && error.isNotFound)) throw error;
  }
  return owners;
}

/** @returns undefined where they may not be listed; then that is added to `missing` */
async function countReferences(
  options: SurveyOptions,
  missing: MissingRight[],
  resource: Resource,
  secrets: readonly PullSecret[],
  naming: (object: KubeObject) => Parameters<SecretReferences['add']>[0],
): Promise<SecretReferences | undefined> {
  let references = new SecretReferences(secrets);
  try {
    await each(options, resource, resource === PODS ? NOT_ENDED : undefined, () => {
      references = new SecretReferences(secrets);
      return (object) => references.add(naming(object));
    });
    return references;
  } catch (error) {
    const right = missingRight(error);
    if (!right) throw error;
    missing.push(right);
    return undefined;
  }
}

function each(
  { client, namespace, signal }: SurveyOptions,
  resource: Resource,
  fieldSelector: string | undefined,
  begin: () => (object: KubeObject) => void,
): Promise<void> {
  return scan(client, resource, { namespace, signal, fieldSelector }, begin);
}
