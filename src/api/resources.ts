import { GROUP, VERSION } from './names.ts';
import type { Resource } from '../common/objects.ts';

export const REGISTRY_TOKENS: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'registrytokens',
  kind: 'RegistryToken',
  namespaced: true,
};

export const CLUSTER_REGISTRY_TOKENS: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'clusterregistrytokens',
  kind: 'ClusterRegistryToken',
  namespaced: false,
};

export const REGISTRY_ACCOUNTS: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'registryaccounts',
  kind: 'RegistryAccount',
  namespaced: false,
};
