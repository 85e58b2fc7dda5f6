import { expect } from 'chai';
import { pino } from 'pino';
import { systemClock as clock } from '../../src/common/clock.ts';
import type { KubeObject, Resource } from '../../src/common/objects.ts';
import { KubeClient } from '../../src/kube/client/client.ts';
import { httpTransport } from '../../src/kube/transport/http-transport.ts';
import { Reflector } from '../../src/kube/cache/reflector.ts';
import type { Transport } from '../../src/kube/transport/transport.ts';
import { configMap, CONFIG_MAPS } from './support/builders.ts';
import { contract, eventually } from './support/contract.ts';
import { Things } from './support/things.ts';

const MAPS: Resource = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

contract('a reflector', (api) => {
  const logger = pino({ level: 'silent' });
  let namespace: string;
  let transport: Transport;
  let stop: AbortController;
  let running: Promise<void>;
  let told: string[];

  beforeEach(async () => {
    namespace = await api().namespace();
    transport = httpTransport(api().server.kubeConfig, { clock, logger, userAgent: 'reflector' });
    stop = new AbortController();
    told = [];
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await transport.close();
  });

  async function reflect(resource: Resource): Promise<Reflector<KubeObject>> {
    const client = new KubeClient(transport, { fieldManager: 'reflector' });
    const reflector = new Reflector({ client, resource, namespace, clock, random: Math.random, logger });
    reflector.onChange(({ type, object }) => told.push(`${type} ${object.metadata.name}`));
    running = reflector.run(stop.signal);
    await reflector.whenSynced(stop.signal);
    return reflector;
  }
  async function whenTold(...changes: string[]): Promise<void> {
    await eventually(changes.join(), async () => told.length >= changes.length || undefined);
    expect(told).to.deep.equal(changes);
  }

  it('tells of what is there and of every change', async () => {
    const maps = CONFIG_MAPS(namespace);
    await api().post(maps, configMap('a'));
    const { store } = await reflect(MAPS);
    await api().post(maps, configMap('b'));
    await api().delete(`${maps}/a`);
    await whenTold('added a', 'added b', 'deleted a');
    expect(store.list().map(({ metadata }) => metadata.name)).to.deep.equal(['b']);
  });

  it('goes on with a kind that is removed and put back', async () => {
    const things = await Things.define(api());
    await things.create(namespace, 'a');
    const { plural, kind } = things;
    const reflector = await reflect({ group: 'example.com', version: 'v1', plural, kind, namespaced: true });
    const { body: definition } = await api().get(things.definitionPath);
    await api().delete(things.definitionPath);
    await eventually('it knows that it sees nothing', async () => !reflector.synced || undefined);
    const { apiVersion, metadata, spec } = definition;
    const again = { apiVersion, kind: definition.kind, metadata: { name: metadata.name }, spec };
    await api().post(things.definitionPath.replace(/\/[^/]+$/, ''), again);
    await eventually('it is served again', async () =>
      (await things.create(namespace, 'b')).kind === kind ? true : undefined,
    );
    await whenTold('added a', 'deleted a', 'added b');
    expect(reflector.synced).to.equal(true);
  });
});
