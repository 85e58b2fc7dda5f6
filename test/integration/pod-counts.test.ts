import { expect } from 'chai';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import type { KubeObject, ObjectName } from '../../src/common/objects.ts';
import { PODS } from '../../src/kube/client/resources.ts';
import type { PodCounts } from '../../src/token/workloads/pod-counts.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { HOST, type World } from '../support/world.ts';

describe('pods that depend on a RegistryToken', () => {
  let world: World;
  let namespace: string;
  before(async () => {
    world = await sharedWorld();
    await world.stopOperator();
    world.startOperator({ countPods: true });
  });
  after(async () => {
    await world.stopOperator();
    world.startOperator();
  });
  beforeEach(async () => {
    namespace = await world.createNamespace();
  });

  /** A pod as kubelet tells of it. */
  async function createPod(
    name: string,
    { phase, reason }: { phase: string; reason?: string },
  ): Promise<void> {
    const image = `${HOST}/team/app:1`;
    await world.client.create<KubeObject>(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: { containers: [{ name: 'main', image }], imagePullSecrets: [{ name: 'app' }] },
    });
    await setStatus(name, phase, reason);
  }
  async function setStatus(name: string, phase: string, reason?: string): Promise<void> {
    const state = reason === undefined ? { running: {} } : { waiting: { reason, message: 'none' } };
    const status = { name: 'main', image: 'x', imageID: '', ready: false, restartCount: 0, state };
    await world.client.mergePatch(
      PODS,
      { namespace, name },
      { status: { phase, containerStatuses: [status] } },
      { subresource: 'status' },
    );
  }
  const whenCounts = (name: ObjectName, expected: PodCounts): Promise<string> =>
    world.eventually(
      `the status has ${JSON.stringify(expected)}`,
      async () => {
        const { status, metadata } = await world.token(name);
        const { using, waiting } = status?.pods ?? {};
        return using === expected.using && waiting === expected.waiting
          ? { value: metadata.resourceVersion }
          : { seen: JSON.stringify(status?.pods) };
      },
      40_000,
    );

  it('are counted in its status: those that use its Secret, and those that wait for it', async () => {
    await createPod('runs', { phase: 'Running' });
    await createPod('waits', { phase: 'Pending', reason: 'ImagePullBackOff' });
    await createPod('ended', { phase: 'Succeeded' });
    const name = await world.createToken(namespace, {}, 'app');
    await whenCounts(name, { using: 2, waiting: 1 });
    await setStatus('waits', 'Running');
    await setStatus('runs', 'Succeeded');
    await whenCounts(name, { using: 1, waiting: 0 });
    const versions = new Set<string>();
    for (let number = 0; number < 30; number++) {
      await createPod(`rollout-${number}`, { phase: 'Running' });
      versions.add((await world.token(name)).metadata.resourceVersion);
    }
    versions.add(await whenCounts(name, { using: 31, waiting: 0 }));
    expect(versions.size, 'versions of the status in a rollout').to.be.at.most(3);
  });

  it('stay in its status over a restart, which writes nothing, and go when they are not counted any more', async () => {
    await createPod('runs', { phase: 'Running' });
    const name = await world.createToken(namespace, {}, 'app');
    const version = await whenCounts(name, { using: 1, waiting: 0 });
    await world.stopOperator();
    world.startOperator({ countPods: true });
    await sleep(clock, 1_000);
    expect((await world.token(name)).metadata.resourceVersion).to.equal(version);
    await world.stopOperator();
    world.startOperator();
    await world.eventually('the status says nothing of pods', async () => {
      const { pods } = (await world.token(name)).status ?? {};
      return pods === undefined ? { value: true } : { seen: JSON.stringify(pods) };
    });
  });
});
