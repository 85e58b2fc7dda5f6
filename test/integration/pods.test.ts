import { expect } from 'chai';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import type { KubeObject } from '../../src/common/objects.ts';
import { PODS, SERVICE_ACCOUNTS } from '../../src/kube/client/resources.ts';
import type { PullSecret, ServiceAccount } from '../../src/token/workloads/service-accounts.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { HOST, type World } from '../support/world.ts';

const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };

interface Wanted {
  image?: string;
  imagePullSecrets?: PullSecret[];
  serviceAccountName?: string;
  controlled?: boolean;
}

describe('pods that came before their Secret', () => {
  let world: World;
  let namespace: string;
  let controller: KubeObject;
  before(async () => {
    world = await sharedWorld();
  });
  beforeEach(async () => {
    namespace = await world.createNamespace();
    const metadata = { name: 'controller', namespace };
    controller = await world.client.create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
  });

  /** A pod as it is after kubelet failed to pull its image. */
  async function createFailing(
    name: string,
    { image = `${HOST}/team/app:1`, controlled = true, ...spec }: Wanted,
  ): Promise<void> {
    const { uid } = controller.metadata;
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'controller', uid, controller: true };
    await world.client.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, ...(controlled && { ownerReferences: [owner] }) },
      spec: { containers: [{ name: 'main', image }], ...spec },
    });
    const waiting = { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` };
    const status = { name: 'main', image, imageID: '', ready: false, restartCount: 0, state: { waiting } };
    await world.client.mergePatch(
      PODS,
      { namespace, name },
      { status: { phase: 'Pending', containerStatuses: [status] } },
      { subresource: 'status' },
    );
  }
  const createServiceAccount = (name: string, imagePullSecrets: PullSecret[] = []): Promise<ServiceAccount> =>
    world.createServiceAccount({ namespace, name }, imagePullSecrets);
  const whenLinked = (name: string, ...expected: string[]): Promise<boolean> =>
    world.eventually(`ServiceAccount ${name} has ${expected.join(', ')}`, async () => {
      const { imagePullSecrets = [] } = await world.client.get<ServiceAccount>(SERVICE_ACCOUNTS, {
        namespace,
        name,
      });
      const names = imagePullSecrets.map((entry) => entry.name);
      return names.join() === expected.join() ? { value: true } : { seen: names.join() };
    });
  const exists = (name: string): Promise<boolean> =>
    world.exists(world.client.get(PODS, { namespace, name }, { metadataOnly: true }));
  const whenEvicted = (name: string): Promise<boolean> =>
    world.eventually(`pod ${name} is evicted`, async () =>
      (await exists(name)) ? { seen: 'it is there' } : { value: true },
    );

  describe('where eviction is switched on', () => {
    before(async () => {
      await world.stopOperator();
      world.startOperator({ evictPods: true });
    });
    after(async () => {
      await world.stopOperator();
      world.startOperator();
    });

    it('are evicted once their Secret is there, each with an event; pods with other troubles are left alone', async () => {
      // Those that are to be spared come first in a list, and so would be evicted first.
      const imagePullSecrets = [{ name: 'app' }];
      await createFailing('early-1', { imagePullSecrets });
      await createFailing('early-2', { imagePullSecrets });
      await createFailing('a-elsewhere', { imagePullSecrets, image: 'registry.example/team/app:1' });
      await createFailing('a-without-secret', { imagePullSecrets: [{ name: 'other' }] });
      await createFailing('a-uncontrolled', { imagePullSecrets, controlled: false });
      await world.createToken(namespace, {}, 'app');
      for (const name of ['early-1', 'early-2']) {
        await whenEvicted(name);
        await world.eventually('an event tells of it', async () => {
          const reasons = await world.eventReasons({ namespace, name });
          return reasons.includes('PodEvicted') ? { value: true } : { seen: reasons.join() };
        });
      }
      for (const spared of ['a-elsewhere', 'a-without-secret', 'a-uncontrolled'])
        expect(await exists(spared), spared).to.equal(true);
    });

    it('are evicted when their ServiceAccount gets the Secret, which they can not get any more', async () => {
      const others = [{ name: 'others' }];
      await createServiceAccount('builder', others);
      const serviceAccountName = 'builder';
      await createFailing('admitted-early', { serviceAccountName, imagePullSecrets: others });
      await createFailing('a-with-its-own', { serviceAccountName, imagePullSecrets: [{ name: 'own' }] });
      await world.createToken(namespace, { serviceAccounts: ['builder'] }, 'app');
      await whenEvicted('admitted-early');
      expect(await exists('a-with-its-own')).to.equal(true);
    });

    it('are evicted when their ServiceAccount gets one of two Secrets, whichever it is that they lack', async () => {
      await createServiceAccount('builder');
      const serviceAccountName = 'builder';
      await createFailing('admitted-first', { serviceAccountName, image: 'second.test/team/app:1' });
      await world.createToken(namespace, { serviceAccounts: ['builder'] }, 'one');
      await whenLinked('builder', 'one');
      const secret = { extraHosts: ['second.test'] };
      await world.createToken(namespace, { serviceAccounts: ['builder'], secret }, 'two');
      await whenLinked('builder', 'one', 'two');
      await whenEvicted('admitted-first');
    });

    it('are evicted when their Secret gets another name, which they can not learn any more', async () => {
      await createServiceAccount('builder');
      const name = await world.createToken(namespace, { serviceAccounts: ['builder'] }, 'app');
      await whenLinked('builder', 'app');
      await createFailing('admitted-before', {
        serviceAccountName: 'builder',
        imagePullSecrets: [{ name: 'app' }],
      });
      await world.patchToken(name, { spec: { secret: { name: 'renamed' } } });
      await whenEvicted('admitted-before');
    });

    it('are left alone while the Secret is good: they fail for another reason, whatever is changed meanwhile', async () => {
      const name = await world.createToken(namespace, {}, 'app');
      await world.whenReady(name);
      // The Secret was good in a second before the one in which the pod is created, and what was looked for then is over.
      await sleep(clock, 1_500);
      await createFailing('broken', { imagePullSecrets: [{ name: 'app' }] });
      await createServiceAccount('builder');
      const changes = [
        { metadata: { annotations: { 'pullsecrets.dev/rotate': 'x' } } },
        { spec: { access: 'ReadWrite' } },
        { spec: { serviceAccounts: ['builder'] } },
      ];
      for (const change of changes) {
        await world.patchToken(name, change);
        await world.whenReady(name);
      }
      await whenLinked('builder', 'app');
      await sleep(clock, 2_500);
      expect(await exists('broken')).to.equal(true);
    });
  });

  it('are left to kubelet where it is not', async () => {
    await createFailing('early', { imagePullSecrets: [{ name: 'app' }] });
    await world.whenReady(await world.createToken(namespace, {}, 'app'));
    await sleep(clock, 2_000);
    expect(await exists('early')).to.equal(true);
  });
});
