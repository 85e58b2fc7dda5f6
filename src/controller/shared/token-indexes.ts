import { accountName, type RegistryToken } from '../../api/registry-token.ts';
import { objectKey } from '../../kube/client/object-key.ts';
import { isPattern } from '../../api/syntax/pattern.ts';
import type { IndexFunction } from '../../kube/cache/store.ts';
import { isChild } from '../../token/cluster-token/child.ts';
import { wantedSecret } from '../../token/secret/claimants.ts';
import { serviceAccountEntries, serviceAccountPatterns } from '../../token/workloads/service-accounts.ts';

/** By what RegistryTokens are looked up: namespace and name of their Secret and ServiceAccounts, patterns of these, account, namespace, uid, ClusterRegistryToken. */
export const TOKEN_INDEXES = {
  secret: (token) => [objectKey({ namespace: token.metadata.namespace, name: wantedSecret(token) })],
  account: (token) => [accountName(token.spec)],
  namespace: ({ metadata }) => [metadata.namespace ?? ''],
  uid: ({ metadata }) => [metadata.uid],
  clusterToken: (token) => (isChild(token) ? [token.metadata.name] : []),
  serviceAccount: (token) =>
    serviceAccountEntries(token).flatMap((name) =>
      isPattern(name) ? [] : [objectKey({ namespace: token.metadata.namespace, name })],
    ),
  /** The namespace of those that have to do with ServiceAccounts by a pattern. */
  serviceAccountPattern: (token) =>
    serviceAccountPatterns(token).length > 0 ? [token.metadata.namespace ?? ''] : [],
} satisfies Record<string, IndexFunction<RegistryToken>>;
