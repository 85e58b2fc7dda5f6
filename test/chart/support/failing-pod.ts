import type { KubeObject, ObjectName } from '../../../src/common/objects.ts';
import type { KubeClient } from '../../../src/kube/client/client.ts';
import { PODS } from '../../../src/kube/client/resources.ts';

const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };

/**
 * A pod as it is after a kubelet failed to pull its image for want of a Secret. Its controller is a ConfigMap, which makes
 * no new one.
 */
export async function createFailingPod(
  client: KubeClient,
  { namespace = '', name }: ObjectName,
  secret: string,
  host: string,
): Promise<KubeObject> {
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } };
  const { uid } = (await client.create(CONFIG_MAPS, owner)).metadata;
  const image = `${host}/team/app:1`;
  await client.create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid, controller: true }],
    },
    spec: { containers: [{ name: 'main', image }], imagePullSecrets: [{ name: secret }] },
  });
  const state = { waiting: { reason: 'ErrImagePull' } };
  const containerStatuses = [{ name: 'main', image, imageID: '', ready: false, restartCount: 0, state }];
  const status = { phase: 'Pending', containerStatuses };
  return client.mergePatch(PODS, { namespace, name }, { status }, { subresource: 'status' });
}
