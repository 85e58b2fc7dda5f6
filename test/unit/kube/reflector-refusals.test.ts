import { expect } from 'chai';
import type { Reflector, ReflectorOptions } from '../../../src/kube/cache/reflector.ts';
import { settle, type VirtualClock } from '../../support/virtual-clock.ts';
import type { Logs } from './support/logs.ts';
import { refuse, type ModelServer } from './support/model-server.ts';
import { ReflectorStage, THINGS, type Thing } from './support/reflector-stage.ts';

describe('a reflector that the server refuses its list or watch', () => {
  let stage: ReflectorStage;
  let server: ModelServer;
  let clock: VirtualClock;
  let logs: Logs;
  let stop: AbortController;

  beforeEach(() => {
    stage = new ReflectorStage();
    ({ server, clock, logs, stop } = stage);
  });
  afterEach(() => stage.end());

  const create = (options?: Partial<ReflectorOptions<Thing>>): Reflector<Thing> => stage.create(options);
  const start = (options?: Partial<ReflectorOptions<Thing>>): Promise<Reflector<Thing>> =>
    stage.start(options);
  const told = (): string[] => stage.told();
  const kinds = (): string[] => stage.kinds();

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
    stage.run(reflector);
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
