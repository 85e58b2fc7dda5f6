import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startDockerRegistry, type DockerRegistry } from '../../sandbox/docker-registry.ts';
import { ROTATE_ANNOTATION } from '../../src/api/names.ts';
import type { RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import type { KubeObject, ObjectName, Resource } from '../../src/common/objects.ts';
import { PODS, SECRETS, SERVICE_ACCOUNTS } from '../../src/kube/client/resources.ts';
import type { Pod } from '../../src/token/workloads/pods.ts';
import type { ServiceAccount } from '../../src/token/workloads/service-accounts.ts';
import { InstalledPlugin } from '../cli/support/installed-plugin.ts';
import { startNode } from '../support/node.ts';
import { World } from '../support/world.ts';
import {
  busyboxImage,
  CLUSTER_SCRIPT,
  podTemplate,
  PullingPods,
  reasonOf,
  whyNoNode,
  type PodSpec,
} from './support/pulling-pods.ts';

const REPLICA_SETS: Resource = {
  group: 'apps',
  version: 'v1',
  plural: 'replicasets',
  kind: 'ReplicaSet',
  namespaced: true,
};
const NODES: Resource = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };
const ROTATIONS = 10;
/** Minor version of the first kubelet that asks which Secret an image on the node was pulled with (KEP-2535). */
const VERIFIES_PULLED_IMAGES = 35;

const run = promisify(execFile);

interface Node extends KubeObject {
  status: { nodeInfo: { kubeletVersion: string } };
}

describe('kubelet and containerd pull with what the operator wrote', function () {
  this.timeout(300_000);
  let world: World | undefined;
  let registry: DockerRegistry | undefined;
  let folder: string | undefined;
  let namespace: string;
  let pods: PullingPods;

  before(async function () {
    const reason = await whyNoNode();
    if (reason !== undefined) {
      process.stdout.write(`    skipped: ${reason}\n`);
      this.skip();
    }
    const { apiServer } = await startNode(CLUSTER_SCRIPT!);
    world = await World.start({ running: apiServer });
    folder = await mkdtemp(join(tmpdir(), 'pulls-'));
    registry = await startDockerRegistry({
      folder,
      authority: world.registry,
      authorityUrl: world.registryUrl,
    });
    const regions = [{ name: 'us-south', host: registry.host, endpoint: world.registryUrl }];
    await world.createAccount('node', { regions });
    world.startOperator({ countPods: true });
    await pushImage();
  });
  after(async () => {
    await world?.close();
    await registry?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    namespace = await world!.createNamespace();
    pods = await PullingPods.inNamespace(world!, namespace);
  });

  /** An image of busybox alone, pushed with a token that a RegistryToken got. */
  async function pushImage(): Promise<void> {
    const image = await busyboxImage(folder!);
    const home = await world!.createNamespace();
    const name = await world!.createToken(home, { accountRef: { name: 'node' }, access: 'ReadWrite' });
    await world!.whenReady(name);
    const { data = {} } = await world!.secret(name);
    const authfile = join(folder!, 'auth.json');
    await writeFile(authfile, Buffer.from(data['.dockerconfigjson'] ?? '', 'base64'), { mode: 0o600 });
    await run('skopeo', [
      'copy',
      '--authfile',
      authfile,
      '--dest-tls-verify=false',
      `oci:${image}:latest`,
      `docker://${registry!.host}/team/app:1`,
    ]);
  }

  const createToken = (name: string, spec: RegistryTokenSpec = {}): Promise<ObjectName> =>
    world!.createToken(namespace, { accountRef: { name: 'node' }, ...spec }, name);

  const image = (): string => `${registry!.host}/team/app:1`;
  const createPod = (
    name: string,
    spec: PodSpec,
    command?: string[],
    imagePullPolicy?: string,
  ): Promise<Pod> => pods.create(name, image(), spec, command, imagePullPolicy);
  const pod = (name: string): Promise<Pod> => pods.get(name);
  const whenPhase = (name: string, phase: string): Promise<Pod> => pods.whenPhase(name, phase);
  const whenPullFails = (name: string): Promise<Pod> => pods.whenPullFails(name);

  it('for a pod that names the Secret', async () => {
    await world!.whenReady(await createToken('app'));
    await createPod('named', { imagePullSecrets: [{ name: 'app' }] });
    await whenPhase('named', 'Running');
  });

  it('for a pod whose ServiceAccount has the Secret', async () => {
    await createToken('app', { serviceAccounts: ['default'] });
    await world!.eventually('the ServiceAccount has it', async () => {
      const { imagePullSecrets = [] } = await world!.client.get<ServiceAccount>(SERVICE_ACCOUNTS, {
        namespace,
        name: 'default',
      });
      return imagePullSecrets.some(({ name }) => name === 'app') ? { value: true } : { seen: 'not yet' };
    });
    await createPod('of-account', {});
    const { spec } = await whenPhase('of-account', 'Running');
    expect(spec.imagePullSecrets).to.deep.equal([{ name: 'app' }]);
  });

  it('for a pod that came before its Secret, by itself: kubelet reads the Secret at every try', async () => {
    await createPod('early', { imagePullSecrets: [{ name: 'app' }] });
    const { metadata } = await whenPullFails('early');
    await createToken('app');
    const after = await whenPhase('early', 'Running');
    expect(after.metadata.uid).to.equal(metadata.uid);
  });

  it('for the successor of a pod that came before its ServiceAccount had the Secret, where eviction is switched on', async () => {
    await world!.stopOperator();
    world!.startOperator({ evictPods: true, countPods: true });
    const labels = { app: 'early' };
    await world!.client.create(REPLICA_SETS, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'early', namespace },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podTemplate(image(), {}) },
      },
    });
    const [first] = await world!.eventually('the ReplicaSet has a pod', async () => {
      const all = await world!.client.listAll<KubeObject>(PODS, { namespace });
      return all.length > 0 ? { value: all } : { seen: 'none' };
    });
    await whenPullFails(first!.metadata.name);
    await createToken('app', { serviceAccounts: ['default'] });
    const running = await world!.eventually(
      'another pod runs in its place',
      async () => {
        const all = await world!.client.listAll<Pod>(PODS, { namespace });
        const found = all.find(({ status }) => status?.phase === 'Running');
        return found ? { value: found } : { seen: JSON.stringify(all.map(({ status }) => status)) };
      },
      60_000,
    );
    expect(running.metadata.uid).to.not.equal(first!.metadata.uid);
    expect(await world!.eventReasons(first!.metadata)).to.include('PodEvicted');
    await world!.stopOperator();
    world!.startOperator({ countPods: true });
  });

  const whenCounts = (name: ObjectName, expected: { using: number; waiting: number }): Promise<boolean> =>
    world!.eventually(`the status counts ${JSON.stringify(expected)}`, async () => {
      const { using, waiting } = (await world!.token(name)).status?.pods ?? {};
      return using === expected.using && waiting === expected.waiting
        ? { value: true }
        : { seen: `${using} use it, ${waiting} wait` };
    });

  it('before and after kubectl registrytoken adopts a Secret made by hand, the credential that was in it being revoked', async () => {
    const home = await world!.createNamespace();
    const source = await world!.createToken(home, { accountRef: { name: 'node' } });
    await world!.whenReady(source);
    const { type, data } = await world!.secret(source);
    const name = { namespace, name: 'by-hand' };
    await world!.client.create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: name, type, data });
    const imagePullSecrets = [{ name: 'by-hand' }];
    const account = { namespace, name: 'default' };
    await world!.client.mergePatch(SERVICE_ACCOUNTS, account, { imagePullSecrets });
    await createPod('before', {});
    await whenPhase('before', 'Running');

    const plugin = await InstalledPlugin.install(world!.apiServer.kubeconfig);
    try {
      const adopted = await plugin.run('adopt', 'by-hand', '-n', namespace, '--wait');
      expect(adopted.exit, adopted.err).to.equal(0);
      await world!.deleteToken(source);
      await world!.whenGone(source);
      await createPod('after', {});
      await whenPhase('after', 'Running');
      const { out } = await plugin.run('impact', 'by-hand', '-n', namespace, '-o', 'json');
      const { workloads } = JSON.parse(out) as { workloads: object[] };
      const common = { kind: 'Pod', pods: 1, waiting: 0, via: ['ServiceAccount default'], images: [image()] };
      expect(workloads[0]).to.deep.include({ name: 'after', ...common, whenRevoked: ['PullsFail'] });
      expect(workloads[1]).to.deep.include({ name: 'before', ...common });
    } finally {
      await plugin.uninstall();
    }
  });

  it('not with a revoked token, and the status counts the pod that waits', async () => {
    const name = await createToken('app');
    const { status } = await world!.whenReady(name);
    await world!.patchToken(name, { spec: { suspend: true } });
    await world!.whenReady(name, { reason: 'Suspended' });
    await world!.revokeAtRegistry(status?.token?.id ?? '');
    await createPod('refused', { imagePullSecrets: [{ name: 'app' }] });
    await whenPullFails('refused');
    await whenCounts(name, { using: 1, waiting: 1 });
    await sleep(clock, 15_000);
    expect((await pod('refused')).status?.phase).to.equal('Pending');
    await world!.patchToken(name, {
      spec: { suspend: false },
      metadata: { annotations: { [ROTATE_ANNOTATION]: 'now' } },
    });
    await whenPhase('refused', 'Running');
    await whenCounts(name, { using: 1, waiting: 0 });
  });

  it(`through ${ROTATIONS} rotations, for pods that start one after another: none fails`, async () => {
    const name = await createToken('app', { rotation: { gracePeriod: '20s' } });
    const { status } = await world!.whenReady(name);
    const { uid } = (await world!.secret(name)).metadata;
    let started = 0;
    const stop = new AbortController();
    const failures: string[] = [];
    const starting = (async () => {
      while (!stop.signal.aborted) {
        const each = `pod-${++started}`;
        await createPod(each, { imagePullSecrets: [{ name: 'app' }] }, ['true']);
        await world!.eventually(
          `${each} ends`,
          async () => {
            const found = await pod(each);
            if (reasonOf(found).includes('Pull')) failures.push(`${each}: ${reasonOf(found)}`);
            return ['Succeeded', 'Failed'].includes(found.status?.phase ?? '') || failures.length > 0
              ? { value: true }
              : { seen: JSON.stringify(found.status) };
          },
          60_000,
        );
        if ((await pod(each)).status?.phase !== 'Succeeded') failures.push(each);
      }
    })();
    for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
      await sleep(clock, 2_500);
      await world!.patchToken(name, { metadata: { annotations: { [ROTATE_ANNOTATION]: String(rotation) } } });
      await world!.eventually(`rotation ${rotation}`, async () => {
        const now = (await world!.token(name)).status;
        return now?.lastHandledRotate === String(rotation) ? { value: true } : { seen: JSON.stringify(now) };
      });
    }
    stop.abort();
    await starting;
    expect(failures).to.deep.equal([]);
    expect(started).to.be.at.least(ROTATIONS);
    expect((await world!.secret(name)).metadata.uid).to.equal(uid);
    expect((await world!.token(name)).status?.token?.revision).to.equal(
      (status?.token?.revision ?? 0) + ROTATIONS,
    );
  });

  it('once, and after a rotation a pod with the same Secret starts from the image on the node while the registry is down', async () => {
    const name = await createToken('app', { rotation: { gracePeriod: '0s' } });
    const first = (await world!.whenReady(name)).status?.token?.id;
    await world!.whenReady(await createToken('other'));
    await createPod('pulls', { imagePullSecrets: [{ name: 'app' }] });
    await whenPhase('pulls', 'Running');
    await world!.patchToken(name, { metadata: { annotations: { [ROTATE_ANNOTATION]: 'now' } } });
    await world!.eventually('the first token is revoked', async () => {
      const ids = world!.registry.tokens().map(({ id }) => id);
      return ids.some((id) => id === first) ? { seen: ids.join() } : { value: true };
    });
    await registry!.stop();
    const fromNode = async (title: string, spec: PodSpec): Promise<Pod> =>
      createPod(title, spec, ['sleep', '3600'], 'IfNotPresent');
    await fromNode('same', { imagePullSecrets: [{ name: 'app' }] });
    await whenPhase('same', 'Running');
    const [node] = await world!.client.listAll<Node>(NODES);
    const [, minor] = node!.status.nodeInfo.kubeletVersion.split('.');
    if (Number(minor) < VERIFIES_PULLED_IMAGES) return;
    await fromNode('without', {});
    await whenPullFails('without');
    await fromNode('another', { imagePullSecrets: [{ name: 'other' }] });
    await whenPullFails('another');
  });
});
