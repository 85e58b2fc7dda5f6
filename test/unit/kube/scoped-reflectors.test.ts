import { expect } from 'chai';
import type { KubeObject } from '../../../src/common/objects.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { Reflector } from '../../../src/kube/cache/reflector.ts';
import { PODS } from '../../../src/kube/client/resources.ts';
import { ScopedReflectors } from '../../../src/kube/cache/scoped-reflectors.ts';
import { settle, VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from './support/logs.ts';
import { ModelServer, refuse } from './support/model-server.ts';

const pods = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;

describe('one resource watched in several namespaces', () => {
  let server: ModelServer;
  let clock: VirtualClock;
  let stop: AbortController;
  let forbidden: Set<string>;
  let watches: ScopedReflectors<KubeObject>;
  let running: Promise<void>;

  beforeEach(() => {
    server = new ModelServer();
    clock = new VirtualClock();
    stop = new AbortController();
    forbidden = new Set();
    server.fault = (call) => {
      const namespace = /namespaces\/([^/]+)/.exec(call.path)?.[1] ?? '';
      if (forbidden.has(namespace)) throw refuse(call, 403, 'Forbidden');
      return undefined;
    };
    const client = new KubeClient(server, { fieldManager: 'test' });
    const common = { client, resource: PODS, clock, random: () => 0, logger: new Logs() };
    watches = new ScopedReflectors(
      ['a', 'b'],
      (namespace) => new Reflector<KubeObject>({ ...common, namespace, title: `pods in ${namespace}` }),
    );
    running = Promise.resolve();
  });
  afterEach(async () => {
    stop.abort();
    await running;
  });

  const start = async (): Promise<void> => {
    running = watches.run(stop.signal);
    await watches.whenSynced(stop.signal);
    await settle();
  };
  const excused = (): Record<string, boolean> =>
    Object.fromEntries(watches.watches.map(({ title, health }) => [title, health.excused]));

  it('knows the objects of those that can be read, although another can not', async () => {
    forbidden.add('b');
    server.put(pods('a'), 'one');
    server.put(pods('b'), 'two');
    await start();
    expect(watches.list().map(({ metadata }) => metadata.name)).to.deep.equal(['one']);
    expect(['a', 'b'].map((namespace) => watches.refuses(namespace))).to.deep.equal([false, true]);
    expect(watches.refused).to.equal(true);
    expect(['a', 'b', 'c'].map((namespace) => watches.sees(namespace))).to.deep.equal([true, false, false]);
    expect(excused()).to.deep.equal({ 'pods in a': false, 'pods in b': true });
  });

  it('excuses none where all are refused', async () => {
    forbidden = new Set(['a', 'b']);
    await start();
    expect(excused()).to.deep.equal({ 'pods in a': false, 'pods in b': false });
  });

  it('no longer sees a namespace that was read once and may not be read now: what is known of it grows old', async () => {
    server.put(pods('b'), 'two');
    await start();
    expect(watches.sees('b')).to.equal(true);
    forbidden.add('b');
    for (const watch of server.watches) watch.end();
    await clock.advance(60_000);
    expect(watches.sees('b')).to.equal(false);
  });

  it('tells when one can be read again, with its objects known by then', async () => {
    forbidden.add('b');
    server.put(pods('b'), 'two');
    const told: string[] = [];
    watches.onReadable((namespace) => told.push(`${namespace} with ${watches.list().length}`));
    await start();
    forbidden.clear();
    await clock.advance(60_000);
    expect(told).to.deep.equal(['b with 1']);
    expect(watches.refused).to.equal(false);
    expect(watches.get({ namespace: 'b', name: 'two' })?.metadata.name).to.equal('two');
  });
});
