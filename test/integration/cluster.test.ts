import { expect } from 'chai';
import { Agent, fetch } from 'undici';
import { API_VERSION } from '../../src/api/names.ts';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import type { Resource } from '../../src/common/objects.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import type { Manifest } from '../../src/kube/client/manifest.ts';
import { NAMESPACES } from '../../src/kube/client/resources.ts';
import { sharedWorld } from '../support/shared-world.ts';
import type { World } from '../support/world.ts';

const CONFIG_MAPS: Resource = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

/** Whatever serves the RegistryTokens, the cluster's own rules hold for them. */
describe('the cluster', () => {
  let world: World;
  before(async function () {
    this.timeout(60_000);
    world = await sharedWorld();
  });

  const token = (namespace: string): Manifest => ({
    apiVersion: API_VERSION,
    kind: 'RegistryToken',
    metadata: { namespace, name: 'app' },
    spec: { suspend: true },
  });
  const configMap = (namespace: string, name: string, metadata: object): Manifest => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name, ...metadata },
  });

  async function refusal(attempt: Promise<unknown>): Promise<KubeError> {
    try {
      await attempt;
    } catch (error) {
      if (error instanceof KubeError) return error;
      throw error;
    }
    throw new Error('it was not refused');
  }

  const writes: [string, (object: Manifest) => Promise<unknown>][] = [
    ['created', (object) => world.client.create(REGISTRY_TOKENS, object)],
    ['applied', (object) => world.client.apply(REGISTRY_TOKENS, object, { force: true })],
  ];
  for (const [how, write] of writes) {
    it(`refuses a RegistryToken ${how} in a namespace that is not there`, async () => {
      expect(await refusal(write(token('nowhere')))).to.have.property('status', 404);
    });

    it(`refuses a RegistryToken ${how} in a namespace that is being deleted`, async () => {
      const namespace = await world.createNamespace();
      await write(token(namespace));
      await world.client.delete(REGISTRY_TOKENS, { namespace, name: 'app' });
      const held = configMap(namespace, 'held', { finalizers: ['example.com/hold'] });
      await world.client.create(CONFIG_MAPS, held);
      await world.client.delete(NAMESPACES, { name: namespace });
      // A server of custom resources learns of the deletion by its own watch.
      await world.eventually('it is refused', async () => {
        const outcome = await refusal(write(token(namespace))).catch((each: unknown) => each);
        const refused = outcome instanceof KubeError && outcome.isNamespaceTerminating;
        return refused ? { value: outcome } : { seen: String(outcome) };
      });
      await world.client.mergePatch(
        CONFIG_MAPS,
        { namespace, name: 'held' },
        { metadata: { finalizers: null } },
      );
    });
  }

  it('collects what a RegistryToken owned', async () => {
    const namespace = await world.createNamespace();
    const name = await world.createToken(namespace, { suspend: true });
    const { apiVersion, kind, metadata } = await world.token(name);
    const ownerReferences = [{ apiVersion, kind, name: name.name, uid: metadata.uid }];
    await world.client.create(CONFIG_MAPS, configMap(namespace, 'owned', { ownerReferences }));
    await world.deleteToken(name);
    await world.eventually('it is gone', async () =>
      (await world.exists(world.client.get(CONFIG_MAPS, { namespace, name: 'owned' })))
        ? { seen: 'it is there' }
        : { value: true },
    );
  });

  it('answers nobody without credentials, on a real API server', async function () {
    if (world.apiServer.kind === 'embedded') this.skip();
    const { url, kubeConfig } = world.apiServer;
    const { caData = '' } = kubeConfig.getCurrentCluster() ?? {};
    const dispatcher = new Agent({ connect: { ca: Buffer.from(caData, 'base64') } });
    const { status } = await fetch(`${url}/apis/${API_VERSION}/registrytokens`, { dispatcher });
    expect(status).to.be.oneOf([401, 403]);
    await dispatcher.close();
  });
});
