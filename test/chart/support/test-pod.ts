import type { KubeObject } from '../../../src/common/objects.ts';
import type { KubeClient } from '../../../src/kube/client/client.ts';
import { PODS } from '../../../src/kube/client/resources.ts';
import { eventually } from '../../support/eventually.ts';
import { find, RELEASE, type Rendered } from './helm.ts';

interface TestPod extends KubeObject {
  status?: { phase?: string };
}

/**
 * Runs the pod of `helm test` on a node where Services have no addresses and no names: what its script calls the Service
 * is a name of one pod here.
 * @param hooks what `helm get hooks` gives
 * @param address of the pod that answers for the Service
 * @returns the phase in which it ended
 */
export async function runTestPod(
  client: KubeClient,
  hooks: readonly Rendered[],
  address: string,
): Promise<string | undefined> {
  const pod = find(hooks, 'Pod');
  const { name, namespace = '' } = pod.metadata;
  const hostnames = [`${RELEASE}-registry-token-operator-metrics.${namespace}.svc`];
  const spec = { ...(pod['spec'] as object), hostAliases: [{ ip: address, hostnames }] };
  await client.create(PODS, { ...pod, metadata: { name, namespace }, spec });
  const phase = async (): Promise<string | undefined> =>
    (await client.get<TestPod>(PODS, { namespace, name })).status?.phase;
  await eventually('the test has ended', async () => ['Succeeded', 'Failed'].includes((await phase()) ?? ''));
  const ended = await phase();
  await client.delete(PODS, { namespace, name });
  return ended;
}
