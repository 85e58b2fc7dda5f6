import { expect } from 'chai';
import type { KubeObject } from '../../../src/common/objects.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { Reflector, type ReflectorOptions } from '../../../src/kube/cache/reflector.ts';
import type { Change } from '../../../src/kube/cache/replica.ts';
import { PODS } from '../../../src/kube/client/resources.ts';
import { settle, VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from './support/logs.ts';
import { ModelServer, refuse } from './support/model-server.ts';

interface Thing extends KubeObject {
  color?: string;
}

const THINGS = '/api/v1/pods';

describe('a reflector that the server refuses its list or watch', () => {
  let server: ModelServer;
  let clock: VirtualClock;
  let logs: Logs;
  let changes: Change<Thing>[];
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(() => {
    server = new ModelServer();
    clock = new VirtualClock();
    logs = new Logs();
    changes = [];
    stop = new AbortController();
    running = Promise.resolve();
  });
  afterEach(async () => {
    stop.abort();
    await running;
    expect(clock.pending, 'timers left behind').to.equal(0);
  });

  function create(options: Partial<ReflectorOptions<Thing>> = {}): Reflector<Thing> {
    const client = new KubeClient(server, { fieldManager: 'test' });
    const reflector = new Reflector<Thing>({
      client,
      resource: PODS,
      clock,
      random: () => 0,
      logger: logs,
      ...options,
    });
    reflector.onChange((change) => changes.push(change));
    return reflector;
  }

  async function start(options: Partial<ReflectorOptions<Thing>> = {}): Promise<Reflector<Thing>> {
    const reflector = create(options);
    running = reflector.run(stop.signal);
    await settle();
    return reflector;
  }

  const told = (): string[] => changes.map(({ type, object }) => `${type} ${object.metadata.name}`);
  const kinds = (): string[] => server.calls.map(({ query }) => (query?.['watch'] ? 'watch' : 'list'));

  const forbid = (verb: 'list' | 'watch'): void => {
    server.fault = (call) => {
      if ((call.query?.['watch'] ? 'watch' : 'list') === verb) throw refuse(call, 403, 'Forbidden');
      return undefined;
    };
  };
  const allow = (): void => {
    server.fault = () => undefined;
  };

  it('says so once, however often it asks, and goes on once it is let', async () => {
    forbid('list');
    const reflector = await start();
    expect(reflector.health).to.include({ synced: false, refused: true });
    await clock.advance(300_000);
    expect(kinds().length).to.be.greaterThan(5);
    expect(logs.messages('error')).to.have.length(1);
    expect(logs.messages('warn')).to.deep.equal([]);
    server.put(THINGS, 'a');
    allow();
    await clock.advance(60_000);
    expect(told()).to.deep.equal(['added a']);
    expect(logs.messages('info')).to.deep.equal(['The API server lets it be listed and watched again']);
  });

  it('counts as refused when a Role that it had is gone, and keeps what it knew', async () => {
    const reflector = await start();
    server.put(THINGS, 'a');
    forbid('watch');
    for (const watch of server.watches) watch.end();
    await settle();
    await clock.advance(5_000);
    expect(reflector.health).to.include({ synced: true, refused: true });
    expect(reflector.store.list()).to.have.length(1);
    allow();
    await clock.advance(60_000);
    expect(reflector.health).to.include({ synced: true, refused: false });
  });

  it('tells those who wait for either, and not those who wait for the list', async () => {
    forbid('list');
    const reflector = create();
    let synced = false;
    void reflector.whenSynced(stop.signal).then(
      () => (synced = true),
      () => undefined,
    );
    const either = reflector.whenSyncedOrRefused(stop.signal);
    running = reflector.run(stop.signal);
    await either;
    await settle();
    expect(synced).to.equal(false);
  });

  it('does not count as refused where the server is only in trouble', async () => {
    server.fault = (call) => {
      throw refuse(call, 503, 'ServiceUnavailable');
    };
    const reflector = await start();
    await clock.advance(60_000);
    expect(reflector.health).to.include({ refused: false });
  });
});
