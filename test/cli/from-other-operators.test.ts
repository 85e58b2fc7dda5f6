/** docs/guides/from-other-operators.md: its commands, with Secrets as other operators leave them. */
import { expect } from 'chai';
import type { KubeObject, ObjectMeta } from '../../src/common/objects.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { startEmbedded } from '../support/api-servers.ts';
import { scriptOf } from '../support/pages.ts';
import { registerSecret } from '../support/secrecy.ts';
import { HOST, World } from '../support/world.ts';
import { InstalledPlugin } from './support/installed-plugin.ts';

const PASSWORD = 'a-password-that-was-copied';
const EXTERNAL_SECRETS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'externalsecrets.external-secrets.io' },
  spec: {
    group: 'external-secrets.io',
    scope: 'Namespaced',
    names: {
      kind: 'ExternalSecret',
      listKind: 'ExternalSecretList',
      plural: 'externalsecrets',
      singular: 'externalsecret',
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
const EXTERNAL_SECRET = {
  apiVersion: 'external-secrets.io/v1',
  kind: 'ExternalSecret',
  metadata: { namespace: 'team-a', name: 'app-pull' },
};

describe('docs/guides/from-other-operators.md', function () {
  // Each of some twenty commands is a process.
  this.timeout(240_000);
  let world: World;
  let plugin: InstalledPlugin;
  before(async () => {
    registerSecret(PASSWORD);
    // A control plane of binaries may serve the project's own kinds only.
    world = await World.start({ running: await startEmbedded() });
    world.startOperator();
    plugin = await InstalledPlugin.install(world.apiServer.kubeconfig);
  });
  after(async () => {
    await plugin?.uninstall();
    await world?.close();
  });

  /** A pull secret with the password that all have. */
  const copy = (namespace: string, name: string, metadata: Partial<ObjectMeta> = {}): Promise<KubeObject> => {
    const config = JSON.stringify({ auths: { [HOST]: { username: 'shared', password: PASSWORD } } });
    return world.client.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...metadata, namespace, name },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(config).toString('base64') },
    });
  };

  /** Creates an object with kubectl. @returns its uid */
  const create = async (object: object): Promise<string> => {
    const { exit, out, err } = await plugin.script(
      `kubectl create --filename=- --output=jsonpath='{.metadata.uid}' <<'END'\n${JSON.stringify(object)}\nEND`,
    );
    expect(exit, err).to.equal(0);
    return out;
  };

  it('has the Secrets of others taken over in place, and all rotated', async () => {
    for (const each of ['a', 'b', 'c', 'd']) await world.createNamespace(`team-${each}`);
    await create(EXTERNAL_SECRETS);
    await plugin.script('kubectl wait --for=condition=Established crd/externalsecrets.external-secrets.io');
    const uid = await create(EXTERNAL_SECRET);
    const { apiVersion, kind } = EXTERNAL_SECRET;
    const owner = { apiVersion, kind, name: 'app-pull', uid, controller: true, blockOwnerDeletion: true };
    const before = [
      await copy('team-a', 'app-pull', {
        labels: { 'reconcile.external-secrets.io/managed': 'true' },
        ownerReferences: [owner],
      }),
      await copy('team-b', 'app-pull', {
        annotations: { 'reflector.v1.k8s.emberstack.com/reflects': 'default/app-pull' },
      }),
      await copy('team-c', 'app-pull', {
        annotations: { 'replicator.v1.mittwald.de/replicate-from': 'default/app-pull' },
      }),
      await copy('team-d', 'image-pull-secret'),
    ];

    const { exit, out, err } = await plugin.script(await scriptOf('guides/from-other-operators.md'));
    expect(exit, `${out}\n${err}`).to.equal(0);
    for (const { metadata } of before) {
      const { namespace = '', name } = metadata;
      const { status } = await world.whenReady({ namespace, name });
      expect(status?.secretRef?.uid, `${namespace}/${name}`).to.equal(metadata.uid);
      expect(status?.token?.revision, `${namespace}/${name}`).to.be.at.least(2);
    }
  });
});
