import { expect } from 'chai';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { LeadershipLost } from '../../../src/kube/election/leadership-lost.ts';
import { TerminalError, WorkerPool, type ReconcileResult } from '../../../src/kube/queue/worker-pool.ts';
import { WorkQueue } from '../../../src/kube/queue/work-queue.ts';
import { settle, VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from './support/logs.ts';

describe('WorkerPool', () => {
  let clock: VirtualClock;
  let queue: WorkQueue;
  let logs: Logs;
  let stop: AbortController;

  beforeEach(() => {
    clock = new VirtualClock();
    queue = new WorkQueue({ clock });
    logs = new Logs();
    stop = new AbortController();
  });

  function pool(
    reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>,
    workers = 2,
    metrics?: ConstructorParameters<typeof WorkerPool>[0]['metrics'],
  ): WorkerPool {
    return new WorkerPool({
      name: 'things',
      queue,
      workers,
      reconcile,
      drainTime: 10_000,
      clock,
      logger: logs,
      ...(metrics && { metrics }),
    });
  }

  describe('after a reconcile', () => {
    const cases: {
      that: string;
      does: () => Promise<ReconcileResult>;
      /** Milliseconds until the key comes again; undefined: it doesn't. */
      again: number | undefined;
      failures: number;
      outcome: string;
    }[] = [
      { that: 'succeeds', does: async () => undefined, again: undefined, failures: 0, outcome: 'success' },
      {
        that: 'asks to be called again',
        does: async () => ({ requeueAfter: 60_000 }),
        again: 60_000,
        failures: 0,
        outcome: 'requeue_after',
      },
      {
        that: 'fails',
        does: async () => {
          throw new Error('no');
        },
        // Two failures came before it.
        again: 20,
        failures: 3,
        outcome: 'error',
      },
      {
        that: 'was told to slow down',
        does: async () => {
          throw new KubeError('slow down', { status: 429, retryAfter: 7_000 });
        },
        again: 7_000,
        failures: 3,
        outcome: 'error',
      },
      {
        that: 'fails for good',
        does: async () => {
          throw new TerminalError('never');
        },
        again: undefined,
        failures: 0,
        outcome: 'error,terminal',
      },
      {
        that: 'has a mistake in it',
        does: async () => {
          throw new TypeError('undefined is not a function');
        },
        again: 20,
        failures: 3,
        outcome: 'error,panic',
      },
    ];
    it('that asks for no delay: again at once', async () => {
      let calls = 0;
      queue.add('a');
      const running = pool(async () => (++calls < 3 ? { requeueAfter: 0 } : undefined), 1).run(stop.signal);
      await clock.advance(0);
      expect(calls).to.equal(3);
      stop.abort();
      await running;
    });

    for (const { that, does, again, failures, outcome } of cases) {
      it(`that ${that}: ${again === undefined ? 'not again' : `again in ${again} ms`}`, async () => {
        const told: string[] = [];
        const metrics = {
          addController: (name: string, workers: number) => told.push(`${name} has ${workers}`),
          start: () => (result: string) => told.push(result),
          terminalError: () => told.push('terminal'),
          panic: () => told.push('panic'),
        };
        queue.addRateLimited('a');
        queue.addRateLimited('a');
        const running = pool(does, 1, metrics).run(stop.signal);
        await clock.advance(5);
        expect(clock.untilNext).to.equal(again);
        expect(queue.failures('a')).to.equal(failures);
        expect(told.join()).to.equal(`things has 1,${outcome}`);
        stop.abort();
        await running;
      });
    }

    it('logs a failure with its key', async () => {
      const running = pool(() => Promise.reject(new Error('no'))).run(stop.signal);
      queue.add('ns/a');
      await settle();
      expect(logs.messages('error')).to.deep.equal(['Reconcile failed; trying again']);
      expect(logs.lines[0]!.fields).to.include({ controller: 'things', key: 'ns/a', failures: 1 });
      stop.abort();
      await running;
    });
  });

  it('works on no more keys at a time than it has workers', async () => {
    let busy = 0;
    let most = 0;
    const finished: string[] = [];
    const running = pool(async (key) => {
      most = Math.max(most, ++busy);
      await settle();
      busy--;
      finished.push(key);
    }, 3).run(stop.signal);
    const keys = Array.from({ length: 20 }, (_, n) => `key-${n}`);
    for (const key of keys) queue.add(key);
    while (finished.length < keys.length) await settle();
    expect(most).to.equal(3);
    expect(finished).to.have.members(keys);
    stop.abort();
    await running;
  });

  it('knows how long the oldest reconcile under way has taken', async () => {
    const ends: (() => void)[] = [];
    const things = pool(() => new Promise<void>((resolve) => ends.push(resolve)));
    void things.run(stop.signal);
    expect(things.longestRunning).to.equal(0);
    for (const key of ['a', 'b']) {
      queue.add(key);
      await clock.advance(1_000);
    }
    expect(things.longestRunning).to.equal(2_000);
    ends[0]?.();
    await settle();
    expect(things.longestRunning).to.equal(1_000);
    ends[1]?.();
    await settle();
    expect(things.longestRunning).to.equal(0);
    stop.abort();
  });

  it('knows how long it is that a reconcile under way got on, where it has many things to do', async () => {
    let progressedAt = -Infinity;
    const things = new WorkerPool({
      name: 'things',
      queue,
      workers: 1,
      reconcile: () => new Promise<void>(() => undefined),
      progressedAt: () => progressedAt,
      drainTime: 0,
      clock,
      logger: logs,
    });
    void things.run(stop.signal);
    expect(things.longestRunning).to.equal(0);
    queue.add('a');
    await clock.advance(5_000);
    expect(things.longestRunning).to.equal(5_000);
    progressedAt = clock.monotonic();
    await clock.advance(1_000);
    expect(things.longestRunning).to.equal(1_000);
    stop.abort();
  });

  it('lets a reconcile end with leadership: it is not tried again, and no mistake of its own', async () => {
    let tries = 0;
    void pool(async () => {
      tries++;
      throw new LeadershipLost('another leads');
    }).run(stop.signal);
    queue.add('a');
    await clock.advance(60_000);
    expect(tries).to.equal(1);
    expect(logs.messages('error')).to.deep.equal([]);
    stop.abort();
  });

  describe('stopping', () => {
    it('starts nothing new and waits for what is under way', async () => {
      const gate = Promise.withResolvers<void>();
      const started: string[] = [];
      let ended = false;
      const running = pool(async (key) => {
        started.push(key);
        await gate.promise;
      }, 1)
        .run(stop.signal)
        .then(() => (ended = true));
      queue.add('a');
      queue.add('b');
      await settle();
      stop.abort();
      await clock.advance(9_000);
      expect(ended).to.equal(false);
      gate.resolve();
      await running;
      expect(started).to.deep.equal(['a']);
      expect(clock.pending).to.equal(0);
    });

    it('aborts after ten seconds what does not finish', async () => {
      const running = pool(untilAborted).run(stop.signal);
      queue.add('a');
      await settle();
      stop.abort(new Error('stopped'));
      await clock.advance(10_000);
      await running;
      expect(queue.failures('a'), 'an abort is no failure').to.equal(0);
    });

    it('leaves behind what does not even end then, and says so', async () => {
      const running = pool(() => new Promise(() => undefined)).run(stop.signal);
      queue.add('a');
      await settle();
      stop.abort();
      await clock.advance(12_000);
      await running;
      expect(logs.messages('error')).to.deep.equal([
        'Reconciles did not end when aborted; leaving them behind',
      ]);
    });

    it('aborts at once when leadership was lost', async () => {
      const running = pool(untilAborted).run(stop.signal);
      queue.add('a');
      await settle();
      stop.abort(new LeadershipLost('lost'));
      await running;
      expect(clock.monotonic()).to.equal(0);
    });

    it('ends when the queue was shut down and is empty', async () => {
      const done: string[] = [];
      queue.add('a');
      queue.add('b');
      queue.shutDown();
      await pool(async (key) => void done.push(key)).run(stop.signal);
      expect(done).to.deep.equal(['a', 'b']);
    });

    it('takes no more keys in when it has ended', async () => {
      stop.abort();
      await pool(async () => undefined).run(stop.signal);
      queue.add('a');
      queue.addAfter('b', 1_000);
      expect(queue.length).to.equal(0);
      expect(clock.pending).to.equal(0);
    });

    it('does nothing when it is stopped before it began', async () => {
      queue.add('a');
      stop.abort();
      await pool(() => expect.fail('it started')).run(stop.signal);
    });
  });
});

const untilAborted = (_: string, signal: AbortSignal): Promise<void> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
