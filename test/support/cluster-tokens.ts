import type { ClusterRegistryToken } from '../../src/api/cluster-registry-token.ts';
import type { KubeObject } from '../../src/common/objects.ts';
import { at } from './builders.ts';

/** A ClusterRegistryToken for every namespace, with an empty template. */
export function aClusterToken(
  part: {
    metadata?: Partial<ClusterRegistryToken['metadata']>;
    spec?: ClusterRegistryToken['spec'];
    status?: ClusterRegistryToken['status'];
  } = {},
): ClusterRegistryToken {
  const { metadata, spec = { namespaceSelector: {}, template: { spec: {} } }, status } = part;
  return {
    apiVersion: 'pullsecrets.dev/v1alpha1',
    kind: 'ClusterRegistryToken',
    metadata: {
      name: 'everywhere',
      uid: 'parent-uid',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: at(0),
      ...metadata,
    },
    spec,
    ...(status && { status }),
  };
}

export function aNamespace(name: string, labels: Record<string, string> = {}, isEnding = false): KubeObject {
  const ending = isEnding && { deletionTimestamp: at(0) };
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      uid: `uid-of-${name}`,
      resourceVersion: '1',
      creationTimestamp: at(0),
      labels,
      ...ending,
    },
  };
}
