import { expect } from 'chai';
import type { KubeObject } from '../../../src/common/objects.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { Reflector, ReflectorOptions } from '../../../src/kube/cache/reflector.ts';
import type { Change } from '../../../src/kube/cache/replica.ts';
import type { StreamCall } from '../../../src/kube/transport/transport.ts';
import { settle, type VirtualClock } from '../../support/virtual-clock.ts';
import type { Logs } from './support/logs.ts';
import { refuse, type ModelServer, type WatchStream } from './support/model-server.ts';
import { ReflectorStage, THINGS, type Thing } from './support/reflector-stage.ts';

describe('Reflector', () => {
  let stage: ReflectorStage;
  let server: ModelServer;
  let clock: VirtualClock;
  let logs: Logs;
  let changes: Change<Thing>[];
  let stop: AbortController;

  beforeEach(() => {
    stage = new ReflectorStage();
    ({ server, clock, logs, changes, stop } = stage);
  });
  afterEach(() => stage.end());

  const create = (options?: Partial<ReflectorOptions<Thing>>): Reflector<Thing> => stage.create(options);
  const start = (options?: Partial<ReflectorOptions<Thing>>): Promise<Reflector<Thing>> =>
    stage.start(options);
  const told = (): string[] => stage.told();
  const kinds = (): string[] => stage.kinds();
  const put = (name: string, color?: string): KubeObject => server.put(THINGS, name, color ? { color } : {});

  describe('listing and watching', () => {
    it('tells of what is there, then of what happens', async () => {
      put('a');
      const { store } = await start();
      put('b');
      put('a', 'red');
      server.remove(THINGS, 'b');
      await settle();
      expect(told()).to.deep.equal(['added a', 'added b', 'updated a', 'deleted b']);
      expect(changes.map(({ initial }) => initial)).to.deep.equal([true, false, false, false]);
      expect(changes[2]!.previous).to.not.have.property('color');
      expect(store.list().map(({ color }) => color)).to.deep.equal(['red']);
      expect(kinds()).to.deep.equal(['list', 'watch']);
    });

    it('lists in pages and watches with bookmarks for 40 to 80 seconds', async () => {
      for (let n = 0; n < 1001; n++) put(`thing-${n}`);
      const { store } = await start({ random: () => 0.5, labelSelector: 'a=b' });
      expect(store.list()).to.have.length(1001);
      expect(server.calls.map(({ query }) => query?.['limit'])).to.deep.equal([
        '500',
        '500',
        '500',
        undefined,
      ]);
      expect(server.calls[0]!.query).to.include({ labelSelector: 'a=b' });
      expect(server.calls[3]).to.have.property('stallLimit', 105_000);
      expect(server.calls[3]!.query).to.include({
        allowWatchBookmarks: 'true',
        timeoutSeconds: '60',
        labelSelector: 'a=b',
      });
    });

    it('asks for metadata alone, and names objects by their own kind all the same', async () => {
      put('a');
      const { store } = await start({ metadataOnly: true });
      expect(server.calls.map(({ accept }) => accept)).to.deep.equal([
        'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
        'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json',
      ]);
      expect(store.list()[0]).to.include({ apiVersion: 'v1', kind: 'Pod' });
    });

    it('finds objects by index as they change', async () => {
      put('a', 'red');
      put('b', 'red');
      const { store } = await start({ indexes: { color: ({ color }) => (color ? [color] : []) } });
      put('a', 'blue');
      put('c', 'red');
      server.remove(THINGS, 'b');
      await settle();
      const names = (color: string): string[] =>
        store.byIndex('color', color).map(({ metadata }) => metadata.name);
      expect([names('red'), names('blue'), names('green')]).to.deep.equal([['c'], ['a'], []]);
      expect(() => store.byIndex('size', '1')).to.throw(TypeError);
    });

    it('keeps no managed fields', async () => {
      const managed = { metadata: { managedFields: [{ manager: 'somebody' }] } };
      server.put(THINGS, 'a', managed);
      const { store } = await start();
      server.put(THINGS, 'b', managed);
      await settle();
      expect(store.list().map(({ metadata }) => metadata.managedFields)).to.deep.equal([
        undefined,
        undefined,
      ]);
    });

    it('goes on when a handler throws', async () => {
      const reflector = create();
      reflector.onChange(() => {
        throw new Error('handler');
      });
      const after: string[] = [];
      reflector.onChange(({ object }) => after.push(object.metadata.name));
      stage.run(reflector);
      put('a');
      put('b');
      await settle();
      expect(after).to.deep.equal(['a', 'b']);
      expect(logs.messages('error')).to.deep.equal([
        'A handler of changes failed',
        'A handler of changes failed',
      ]);
    });
  });

  describe('recovering', () => {
    const breaks: [string, () => unknown][] = [
      ['a reset', () => new KubeError('connection reset')],
      ['a stall', () => new KubeError('UND_ERR_BODY_TIMEOUT')],
      ['a 500', () => refuse({ method: 'GET', path: THINGS }, 500, 'InternalError')],
      ['expired credentials', () => refuse({ method: 'GET', path: THINGS }, 401, 'Unauthorized')],
      ['a mistake in the program', () => new TypeError('undefined is not a function')],
    ];
    for (const [what, error] of breaks) {
      it(`resumes where it was after ${what}`, async () => {
        put('a');
        const reflector = await start();
        [...server.watches][0]!.end(error());
        await settle();
        put('b');
        expect(reflector.synced).to.equal(true);
        await clock.advance(800);
        expect(told()).to.deep.equal(['added a', 'added b']);
        expect(kinds()).to.deep.equal(['list', 'watch', 'watch']);
      });
    }

    it('resumes from the last bookmark', async () => {
      put('a');
      await start();
      server.put('/api/v1/secrets', 'elsewhere');
      server.bookmark();
      server.compact();
      await clock.advance(2_000);
      [...server.watches][0]!.end();
      await settle();
      put('b');
      await settle();
      expect(told()).to.deep.equal(['added a', 'added b']);
      expect(kinds()).to.deep.equal(['list', 'watch', 'watch']);
    });

    it('watches again at once when the server ends a watch in time', async () => {
      await start();
      await clock.advance(40_000);
      [...server.watches][0]!.end();
      await settle();
      expect(kinds()).to.deep.equal(['list', 'watch', 'watch']);
      expect(logs.lines).to.deep.equal([]);
    });

    it('waits when a watch ends as soon as it began', async () => {
      await start();
      [...server.watches][0]!.end();
      await settle();
      expect(server.watches.size).to.equal(0);
      await clock.advance(800);
      expect(server.watches.size).to.equal(1);
    });

    it('tells in whole milliseconds how long it waits', async () => {
      await start({ random: () => 1 / 3 });
      [...server.watches][0]!.end();
      await settle();
      expect(logs.lines[0]).to.have.nested.property('fields.wait', 1067);
    });

    const garbage: [string, string][] = [
      ['cut off', '{"type":"ADDED","obj'],
      ['no event', '"hello"'],
      ['an event without an object', '{"type":"ADDED"}'],
      ['of an unknown type', '{"type":"NEWS","object":{"metadata":{"resourceVersion":"5"}}}'],
    ];
    for (const [what, line] of garbage) {
      it(`watches again after a line that is ${what}, without quoting it`, async () => {
        put('a');
        await start();
        [...server.watches][0]!.send(line);
        await settle();
        put('b');
        await clock.advance(800);
        expect(told()).to.deep.equal(['added a', 'added b']);
        expect(JSON.stringify(logs.lines)).to.contain('no watch event').and.not.contain('hello');
      });
    }

    it('lists again after a 410, and finds what was deleted, replaced and changed meanwhile', async () => {
      for (const name of ['deleted', 'replaced', 'changed', 'same']) put(name);
      const reflector = await start();
      changes.length = 0;
      [...server.watches][0]!.end(new KubeError('broken'));
      server.remove(THINGS, 'deleted');
      server.remove(THINGS, 'replaced');
      put('replaced');
      put('changed', 'red');
      put('new');
      server.compact();
      await clock.advance(800);
      expect(reflector.synced, 'a gap is known').to.equal(false);
      await clock.advance(1_600);
      expect(reflector.synced).to.equal(true);
      expect(told()).to.have.members([
        'deleted deleted',
        'deleted replaced',
        'added replaced',
        'updated changed',
        'added new',
      ]);
      expect(changes.some(({ initial }) => initial)).to.equal(false);
      expect(told().indexOf('deleted replaced')).to.be.lessThan(told().indexOf('added replaced'));
    });

    it('lists again after a 410 within the watch', async () => {
      put('a');
      await start();
      const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
      [...server.watches][0]!.send({ type: 'ERROR', object: status });
      await clock.advance(800);
      expect(kinds()).to.deep.equal(['list', 'watch', 'list', 'watch']);
    });

    it('asks for the whole list when the server forgets it between two pages', async () => {
      for (let n = 0; n < 600; n++) put(`thing-${n}`);
      server.fault = ({ query }) => {
        if (query?.['continue']) throw refuse({ method: 'GET', path: THINGS }, 410, 'Expired');
        return undefined;
      };
      const { store } = await start();
      expect(store.list()).to.have.length(600);
      expect(server.calls.map(({ query }) => query?.['limit'])).to.deep.equal([
        '500',
        '500',
        undefined,
        undefined,
      ]);
    });

    it('waits as long as the server asks', async () => {
      server.fault = (call) => {
        throw refuse(call, 429, 'TooManyRequests', 20);
      };
      await start();
      await clock.advance(19_999);
      expect(kinds()).to.deep.equal(['list']);
      await clock.advance(1);
      expect(kinds()).to.deep.equal(['list', 'list']);
    });

    it('tries less and less often, and often again after ten good seconds', async () => {
      const tries: number[] = [];
      server.fault = (call) => {
        tries.push(clock.monotonic());
        throw refuse(call, 500, 'InternalError');
      };
      await start();
      await clock.advance(120_000);
      const waits = tries.slice(1).map((time, index) => time - tries[index]!);
      expect(waits).to.deep.equal([800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]);
      server.fault = () => undefined;
      await clock.advance(30_000 + 10_001);
      server.fault = (call) => {
        tries.push(clock.monotonic());
        throw refuse(call, 500, 'InternalError');
      };
      [...server.watches][0]!.end(new KubeError('broken'));
      await clock.advance(800);
      expect(tries.at(-1)).to.equal(clock.monotonic());
    });

    it('waits for a resource that is not there yet', async () => {
      server.fault = (call) => {
        throw refuse(call, 404, 'NotFound');
      };
      const reflector = await start();
      await clock.advance(60_000);
      expect(reflector.synced).to.equal(false);
      server.fault = () => undefined;
      put('a');
      await clock.advance(30_000);
      expect(reflector.synced).to.equal(true);
      expect(told()).to.deep.equal(['added a']);
    });

    it('tells of deletions when a resource was removed and put back', async () => {
      put('a');
      const reflector = await start();
      server.fault = (call) => {
        throw refuse(call, 404, 'NotFound');
      };
      [...server.watches][0]!.end();
      await clock.advance(10_000);
      expect(reflector.synced).to.equal(false);
      server.remove(THINGS, 'a');
      put('b');
      server.fault = () => undefined;
      await clock.advance(60_000);
      expect(told()).to.deep.equal(['added a', 'deleted a', 'added b']);
    });
  });

  describe('telling the truth about itself', () => {
    it('is synced when the first list is complete, not before', async () => {
      server.fault = (call) => {
        throw refuse(call, 503, 'ServiceUnavailable');
      };
      const reflector = create();
      let seen = false;
      const waiting = reflector.whenSynced(stop.signal).then(() => (seen = true));
      stage.run(reflector);
      await clock.advance(10_000);
      expect([reflector.synced, seen]).to.deep.equal([false, false]);
      server.fault = () => undefined;
      await clock.advance(30_000);
      await waiting;
      expect([reflector.synced, seen]).to.deep.equal([true, true]);
      await reflector.whenSynced(stop.signal);
    });

    it('stops waiting for the sync when told to', async () => {
      const reflector = create();
      const waiting = reflector.whenSynced(stop.signal).catch((error: unknown) => error);
      stop.abort(new Error('enough'));
      expect(await waiting).to.have.property('message', 'enough');
    });

    it('is live while the server speaks, if only to end a watch in which nothing happened', async () => {
      const reflector = create();
      expect(reflector.health).to.deep.equal({
        synced: false,
        live: false,
        lastHeard: -Infinity,
        refused: false,
      });
      stage.run(reflector);
      await settle();
      const speak = [
        (): void => server.bookmark(),
        (): void => void put('a'),
        (): void => [...server.watches][0]!.end(),
      ];
      for (let time = 1; time <= 9; time++) {
        await clock.advance(80_000);
        expect(reflector.health.live).to.equal(true);
        speak[time % 3]!();
        await settle();
        expect(reflector.health).to.deep.equal({
          synced: true,
          live: true,
          lastHeard: time * 80_000,
          refused: false,
        });
      }
      expect(logs.lines).to.deep.equal([]);
    });

    it('is not live for a while before a silent watch is given up, so that a probe can see it', async () => {
      const reflector = await start();
      await clock.advance(91_000);
      expect(reflector.health.live).to.equal(true);
      await clock.advance(1);
      expect(reflector.health).to.deep.equal({ synced: true, live: false, lastHeard: 1_000, refused: false });
      const [{ stallLimit }] = server.calls.slice(-1) as [StreamCall];
      expect(stallLimit - 91_000).to.be.greaterThan(10_000);
      [...server.watches][0]!.end(new KubeError('silence'));
      await clock.advance(800 + 1_000);
      expect(reflector.health.live).to.equal(true);
    });

    for (const [how, breakIt] of [
      ['an error in band', (watch) => watch.send({ type: 'ERROR', object: { kind: 'Status', code: 500 } })],
      ['no event', (watch) => watch.send('rubbish')],
      ['a reset', (watch) => watch.end(new KubeError('ECONNRESET'))],
      ['a clean end', (watch) => watch.end()],
    ] as [string, (watch: WatchStream) => void][])
      it(`is not live while every watch is accepted and then broken at once by ${how}`, async () => {
        const reflector = await start();
        for (let second = 0; second < 300; second++) {
          expect(reflector.health.live, `after ${second} s, while a watch may be open`).to.equal(
            second <= 90,
          );
          for (const watch of server.watches) breakIt(watch);
          await settle();
          expect(reflector.health.live, `after ${second} s`).to.equal(second <= 90);
          await clock.advance(1_000);
        }
        await clock.advance(60_000);
        expect(server.watches.size).to.equal(1);
        expect(reflector.health.live).to.equal(true);
      });

    it('stays live when a watch breaks that was open for a while, and when one tells something first', async () => {
      const reflector = await start();
      await clock.advance(70_000);
      [...server.watches][0]!.end(new KubeError('ECONNRESET'));
      await clock.advance(10_000);
      put('a');
      [...server.watches][0]!.end(new KubeError('ECONNRESET'));
      await clock.advance(40_000);
      expect(reflector.health.live).to.equal(true);
    });

    it('counts lists and signs of life', async () => {
      const counted: string[] = [];
      const metrics = {
        watchEvent: (resource: string) => counted.push(`heard ${resource}`),
        relisted: (resource: string) => counted.push(`listed ${resource}`),
        refused: (resource: string, refused: boolean) => counted.push(`${resource} refused ${refused}`),
      };
      await start({ metrics });
      expect(counted).to.deep.equal(['heard pods', 'listed pods']);
      await clock.advance(1_000);
      put('a');
      await settle();
      expect(counted.slice(2), 'that the watch stayed open, and an event').to.deep.equal([
        'heard pods',
        'heard pods',
      ]);
    });
  });
});
