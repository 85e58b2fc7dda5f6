import type { RegistryToken } from '../../api/registry-token.ts';
import { objectKey } from '../../kube/client/object-key.ts';
import type { IndexFunction } from '../../kube/cache/store.ts';
import { wantedSecret } from '../../token/secret/claimants.ts';
import { namedServiceAccounts } from '../../token/workloads/service-accounts.ts';

/** By what RegistryTokens are looked up: namespace and name of their Secret and ServiceAccounts, account, namespace, uid. */
export const TOKEN_INDEXES = {
  secret: (token) => [objectKey({ namespace: token.metadata.namespace, name: wantedSecret(token) })],
  account: (token) => [accountName(token)],
  namespace: ({ metadata }) => [metadata.namespace ?? ''],
  uid: ({ metadata }) => [metadata.uid],
  serviceAccount: (token) =>
    namedServiceAccounts(token).map((name) => objectKey({ namespace: token.metadata.namespace, name })),
} satisfies Record<string, IndexFunction<RegistryToken>>;

export const accountName = ({ spec }: RegistryToken): string => spec.accountRef?.name ?? 'default';
