import { MANAGED_BY_LABEL, OPERATOR, OWNER_UID_LABEL } from '../../api/names.ts';
import type { ClusterRegistryToken } from '../../api/cluster-registry-token.ts';
import type { RegistryAccount } from '../../api/registry-account.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { CLUSTER_REGISTRY_TOKENS, REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../api/resources.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { KubeObject, ObjectMeta, Resource } from '../../common/objects.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { NAMESPACES, PODS, resourceTitle, SECRETS, SERVICE_ACCOUNTS } from '../../kube/client/resources.ts';
import { Reflector } from '../../kube/cache/reflector.ts';
import { ScopedReflectors } from '../../kube/cache/scoped-reflectors.ts';
import type { ReflectorMetrics } from '../../kube/metrics.ts';
import type { Pod } from '../../token/workloads/pods.ts';
import type { ServiceAccount } from '../../token/workloads/service-accounts.ts';
import {
  essentialClusterToken,
  essentialCredentials,
  essentialNamespace,
  essentialPod,
  essentialSecret,
  essentialServiceAccount,
  essentialToken,
  type KeptPod,
} from './kept-fields.ts';
import { POD_INDEXES } from '../pods/pod-watch.ts';
import { TOKEN_INDEXES } from './token-indexes.ts';

const NO_METADATA: ObjectMeta = { name: '', uid: '', resourceVersion: '', creationTimestamp: '' };

export interface WatchedKindsOptions {
  client: KubeClient;
  operatorNamespace: string;
  /** Empty: all. */
  watchNamespaces: readonly string[];
  /** Whether ClusterRegistryTokens are looked after. */
  clusterTokens: boolean;
  /** Whether pods are watched. */
  countPods: boolean;
  clock: Clock;
  random: () => number;
  logger: Logger;
  metrics: ReflectorMetrics;
}

/** Everything the operator watches. */
export interface WatchedKinds {
  tokens: ScopedReflectors<RegistryToken>;
  /** Metadata of the Secrets that the operator manages. */
  secrets: ScopedReflectors<KubeObject>;
  serviceAccounts: ScopedReflectors<ServiceAccount>;
  /** Those that have not ended. */
  pods: ScopedReflectors<KeptPod> | undefined;
  accounts: Reflector<RegistryAccount>;
  clusterTokens: Reflector<ClusterRegistryToken> | undefined;
  namespaces: Reflector<KubeObject>;
  /** That the Secrets in the operator's own namespace are there, and which version. */
  credentials: Reflector<KubeObject>;
}

/** What is watched of each kind, what is kept of it, and by what it is looked up. */
export function watchedKinds(options: WatchedKindsOptions): WatchedKinds {
  const { watchNamespaces, operatorNamespace, clusterTokens, countPods } = options;
  return {
    tokens: new ScopedReflectors(watchNamespaces, (namespace) =>
      reflector<RegistryToken>(options, REGISTRY_TOKENS, {
        namespace,
        trim: essentialToken,
        indexes: TOKEN_INDEXES,
      }),
    ),
    secrets: new ScopedReflectors(watchNamespaces, (namespace) =>
      reflector<KubeObject>(options, SECRETS, {
        namespace,
        labelSelector: `${MANAGED_BY_LABEL}=${OPERATOR}`,
        metadataOnly: true,
        trim: essentialSecret,
        indexes: {
          owner: ({ metadata }) => [ownerKey(metadata.namespace, metadata.labels?.[OWNER_UID_LABEL])],
        },
      }),
    ),
    serviceAccounts: new ScopedReflectors(watchNamespaces, (namespace) =>
      reflector<ServiceAccount>(options, SERVICE_ACCOUNTS, {
        namespace,
        trim: essentialServiceAccount,
        indexes: { namespace: ({ metadata }) => [metadata.namespace ?? ''] },
      }),
    ),
    pods: countPods
      ? new ScopedReflectors(watchNamespaces, (namespace) =>
          reflector<KeptPod>(options, PODS, {
            namespace,
            fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
            trim: (pod) => essentialPod(pod as unknown as Pod),
            indexes: POD_INDEXES,
          }),
        )
      : undefined,
    accounts: reflector<RegistryAccount>(options, REGISTRY_ACCOUNTS, {}),
    clusterTokens: clusterTokens
      ? reflector<ClusterRegistryToken>(options, CLUSTER_REGISTRY_TOKENS, { trim: essentialClusterToken })
      : undefined,
    namespaces: reflector<KubeObject>(options, NAMESPACES, { metadataOnly: true, trim: essentialNamespace }),
    credentials: reflector<KubeObject>(options, SECRETS, {
      title: 'credentials',
      namespace: operatorNamespace,
      metadataOnly: true,
      trim: essentialCredentials,
    }),
  };
}

/** Calls back with the metadata of every ServiceAccount in the watched namespaces; none is kept. @throws KubeError */
export async function visitServiceAccounts(
  { client, watchNamespaces }: Pick<WatchedKindsOptions, 'client' | 'watchNamespaces'>,
  visit: (account: Pick<ServiceAccount, 'metadata'>) => void,
  signal: AbortSignal,
): Promise<void> {
  const kept = { apiVersion: '', kind: '', metadata: NO_METADATA };
  for (const namespace of watchNamespaces.length === 0 ? [undefined] : watchNamespaces)
    await client.list<KubeObject>(SERVICE_ACCOUNTS, { namespace, metadataOnly: true, signal }, (account) => {
      visit(account);
      return kept;
    });
}

/** By what Secrets are looked up: the RegistryToken whose uid they bear, in its own namespace. */
export const ownerKey = (namespace = '', uid = ''): string => `${namespace}/${uid}`;

function reflector<T extends KubeObject>(
  { client, clock, random, logger, metrics }: WatchedKindsOptions,
  resource: Resource,
  watched: {
    title?: string;
    namespace?: string | undefined;
    labelSelector?: string;
    fieldSelector?: string;
    metadataOnly?: boolean;
    trim?: (object: T) => T;
    indexes?: Record<string, (object: T) => string[]>;
  },
): Reflector<T> {
  const kind = resourceTitle(resource);
  const title = watched.namespace === undefined ? kind : `${kind} in ${watched.namespace}`;
  return new Reflector<T>({ client, resource, title, clock, random, logger, metrics, ...watched });
}
