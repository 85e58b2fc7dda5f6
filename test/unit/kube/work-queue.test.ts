import { expect } from 'chai';
import { WorkQueue } from '../../../src/kube/queue/work-queue.ts';
import { settle, VirtualClock } from '../../support/virtual-clock.ts';

const DAY = 86_400_000;

describe('WorkQueue', () => {
  let clock: VirtualClock;
  let queue: WorkQueue;
  let stop: AbortController;

  beforeEach(() => {
    clock = new VirtualClock();
    queue = new WorkQueue({ clock });
    stop = new AbortController();
  });

  const take = (): Promise<string | undefined> => queue.take(stop.signal);

  /** Takes and finishes all that waits now. */
  async function drain(): Promise<string[]> {
    const keys: string[] = [];
    while (queue.length > 0) {
      const key = (await take())!;
      queue.done(key);
      keys.push(key);
    }
    return keys;
  }

  it('gives keys out in the order in which they came, each once', async () => {
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect(await drain()).to.deep.equal(['a', 'b', 'c']);
  });

  it('makes whoever takes wait for a key', async () => {
    const [first, second] = [take(), take()];
    queue.add('a');
    queue.add('b');
    expect(await Promise.all([first, second])).to.deep.equal(['a', 'b']);
    expect(queue.length).to.equal(0);
  });

  it('lets nobody work on a key at the same time, and gives it out again afterwards', async () => {
    queue.add('a');
    await take();
    queue.add('a');
    queue.add('a');
    expect(queue.length).to.equal(0);
    queue.done('a');
    expect(await drain()).to.deep.equal(['a']);
  });

  describe('priorities', () => {
    it('gives fresh keys out before those that are looked at to be sure', async () => {
      queue.add('old', { priority: 'low' });
      queue.add('fresh');
      expect(await drain()).to.deep.equal(['fresh', 'old']);
    });

    it('moves a key up when it becomes urgent, never down', async () => {
      queue.add('a', { priority: 'low' });
      queue.add('b', { priority: 'low' });
      queue.add('b');
      queue.add('b', { priority: 'low' });
      expect(await drain()).to.deep.equal(['b', 'a']);
    });

    it('remembers the higher one for a key that is being worked on', async () => {
      queue.add('a');
      await take();
      queue.add('a', { priority: 'low' });
      queue.add('a');
      queue.add('a', { priority: 'low' });
      queue.add('b', { priority: 'low' });
      queue.done('a');
      expect(await drain()).to.deep.equal(['a', 'b']);
    });

    it('starves nothing: after eight fresh keys one of the others goes first', async () => {
      for (let n = 0; n < 3; n++) queue.add(`low-${n}`, { priority: 'low' });
      for (let n = 0; n < 20; n++) queue.add(`high-${n}`);
      const order = await drain();
      expect(
        order.map((key, place) => (key.startsWith('low') ? place : -1)).filter((place) => place >= 0),
      ).to.deep.equal([8, 17, 22]);
    });
  });

  describe('what comes back by itself', () => {
    const ways: [string, () => void][] = [
      ['after a delay', () => queue.addAfter('back', 1)],
      ['after no delay', () => queue.addAfter('back', 0)],
      ['after a failure', () => queue.addRateLimited('back')],
    ];
    for (const [what, comeBack] of ways)
      it(`${what} lets go first what just changed`, async () => {
        comeBack();
        await clock.advance(5);
        queue.add('changed');
        expect(await drain()).to.deep.equal(['changed', 'back']);
      });
  });

  describe('fairness', () => {
    beforeEach(() => {
      const lineOf = (key: string): string => key.slice(0, 1);
      queue = new WorkQueue({ clock, fairness: { lineOf, maxOfOneLine: 2 } });
    });

    it('lets lines take turns, however long one is', async () => {
      for (let n = 0; n < 4; n++) queue.add(`a${n}`);
      for (const key of ['b0', 'c0', 'b1']) queue.add(key);
      expect(await drain()).to.deep.equal(['a0', 'b0', 'c0', 'a1', 'b1', 'a2', 'a3']);
    });

    it('lets lines take turns among keys of low priority too', async () => {
      for (const key of ['a0', 'a1', 'b0']) queue.add(key, { priority: 'low' });
      expect(await drain()).to.deep.equal(['a0', 'b0', 'a1']);
    });

    it('gives out no more keys of one line than it may have, and the next when one is done', async () => {
      for (const key of ['a0', 'a1', 'a2', 'b0']) queue.add(key);
      expect([await take(), await take(), await take()]).to.deep.equal(['a0', 'b0', 'a1']);
      const waiting = take();
      queue.done('b0');
      queue.add('b1');
      expect(await waiting).to.equal('b1');
      const next = take();
      queue.done('a0');
      expect(await next).to.equal('a2');
    });

    it('gives out keys of low priority while the others may have no more', async () => {
      queue.add('b0', { priority: 'low' });
      for (const key of ['a0', 'a1', 'a2']) queue.add(key);
      expect([await take(), await take(), await take()]).to.deep.equal(['a0', 'a1', 'b0']);
    });

    it('counts a key to the line it came from, also when it belongs to another meanwhile', async () => {
      let line = 'a';
      queue = new WorkQueue({ clock, fairness: { lineOf: () => line, maxOfOneLine: 1 } });
      queue.add('1');
      queue.add('2');
      await take();
      line = 'b';
      queue.add('1');
      const second = take();
      queue.done('1');
      expect(await second).to.equal('2');
      expect(await take()).to.equal('1');
    });

    it('keeps workers until what waits behind a full line is done, when shut down', async () => {
      for (const key of ['a0', 'a1', 'a2']) queue.add(key);
      await take();
      await take();
      const [next, last] = [take(), take()];
      queue.shutDown();
      queue.done('a0');
      expect(await Promise.all([next, last])).to.deep.equal(['a2', undefined]);
    });
  });

  describe('delays', () => {
    it('adds a key when it is due', async () => {
      queue.addAfter('b', 2_000);
      queue.addAfter('a', 1_000);
      await clock.advance(999);
      expect(queue.length).to.equal(0);
      await clock.advance(1);
      expect(await drain()).to.deep.equal(['a']);
      await clock.advance(1_000);
      expect(await drain()).to.deep.equal(['b']);
      expect(clock.pending).to.equal(0);
    });

    it('counts the earliest of several times', async () => {
      for (const wait of [5_000, 1_000, 3_000]) queue.addAfter('a', wait);
      await clock.advance(1_000);
      expect(await drain()).to.deep.equal(['a']);
      await clock.advance(10_000);
      expect(await drain()).to.deep.equal([]);
    });

    it('adds at once what is due already', async () => {
      queue.addAfter('a', 0);
      queue.addAfter('b', -5);
      expect(await drain()).to.deep.equal(['a', 'b']);
    });

    it('holds a key back for longer than a plain timer can', async () => {
      queue.addAfter('a', 200 * DAY);
      await clock.advance(200 * DAY - 1);
      expect(queue.length).to.equal(0);
      await clock.advance(1);
      expect(queue.length).to.equal(1);
    });

    it('keeps ten thousand of them in order with a single timer', async () => {
      const waits = Array.from({ length: 10_000 }, (_, n) => ((n * 7919) % 10_000) + 1);
      for (const wait of waits) queue.addAfter(String(wait), wait);
      expect(clock.pending).to.equal(1);
      await clock.advance(10);
      expect(await drain()).to.deep.equal(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
    });
  });

  describe('failures', () => {
    it('waits from 5 ms, doubling, to 1000 s', async () => {
      const waits: number[] = [];
      for (let failure = 0; failure < 20; failure++) {
        queue.addRateLimited('a');
        waits.push(clock.untilNext!);
        await clock.advance(clock.untilNext!);
        await drain();
      }
      expect(waits.slice(0, 4)).to.deep.equal([5, 10, 20, 40]);
      expect(waits.slice(-3)).to.deep.equal([655_360, 1_000_000, 1_000_000]);
      expect(queue.failures('a')).to.equal(20);
    });

    it('begins anew once the key was forgotten, and counts each key by itself', async () => {
      queue.addRateLimited('a');
      queue.addRateLimited('a');
      queue.forget('a');
      expect(queue.failures('a')).to.equal(0);
      await clock.advance(5);
      await drain();
      queue.addRateLimited('b');
      expect(clock.untilNext).to.equal(5);
    });

    it('waits at least as long as it is told', async () => {
      queue.addRateLimited('a', 30_000);
      await clock.advance(29_999);
      expect(queue.length).to.equal(0);
      await clock.advance(1);
      expect(queue.length).to.equal(1);
    });
  });

  describe('stopping', () => {
    it('wakes whoever waits when the signal aborts, and loses no key', async () => {
      const waiting = take();
      stop.abort();
      expect(await waiting).to.equal(undefined);
      queue.add('a');
      expect(await take()).to.equal(undefined);
      expect(await queue.take(new AbortController().signal)).to.equal('a');
    });

    it('gives out what waits after it was shut down, and takes nothing in', async () => {
      const other = new WorkQueue({ clock });
      const idle = other.take(stop.signal);
      other.shutDown();
      expect(await idle).to.equal(undefined);
      queue.add('a');
      queue.addAfter('later', 1_000);
      queue.shutDown();
      queue.add('b');
      queue.addRateLimited('c');
      expect(await drain()).to.deep.equal(['a']);
      expect(await take()).to.equal(undefined);
      expect(clock.pending).to.equal(0);
    });
  });

  it('tells what goes in, out and back', async () => {
    const told: string[] = [];
    const metrics = {
      added: (key: string) => told.push(`added ${key}`),
      started: (key: string) => told.push(`started ${key}`),
      finished: (key: string) => told.push(`finished ${key}`),
      retried: () => told.push('retried'),
    };
    queue = new WorkQueue({ clock, metrics });
    queue.add('a');
    queue.add('a');
    await take();
    queue.done('a');
    queue.addRateLimited('a');
    await clock.advance(5);
    expect(told).to.deep.equal(['added a', 'started a', 'finished a', 'retried', 'added a']);
    await settle();
  });
});
