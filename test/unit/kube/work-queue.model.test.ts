import { expect } from 'chai';
import * as fc from 'fast-check';
import { WorkQueue } from '../../../src/kube/work-queue.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** What a work queue promises, without order, heaps or timers. */
class Model {
  now = 0;
  readonly waiting = new Set<string>();
  readonly processing = new Set<string>();
  readonly again = new Set<string>();
  readonly due = new Map<string, number>();
  readonly failures = new Map<string, number>();

  add(key: string): void {
    if (this.processing.has(key)) this.again.add(key);
    else this.waiting.add(key);
  }

  addAfter(key: string, wait: number): void {
    if (wait <= 0) this.add(key);
    else this.due.set(key, Math.min(this.now + wait, this.due.get(key) ?? Infinity));
  }

  advance(milliseconds: number): void {
    this.now += milliseconds;
    for (const [key, due] of this.due) {
      if (due > this.now) continue;
      this.due.delete(key);
      this.add(key);
    }
  }
}

interface Real {
  clock: VirtualClock;
  queue: WorkQueue;
}

type Command = fc.AsyncCommand<Model, Real>;

function command(
  name: string,
  run: (model: Model, real: Real) => Promise<void> | void,
  check: (model: Model) => boolean = () => true,
): Command {
  return {
    check,
    async run(model, real) {
      await run(model, real);
      expect(real.queue.length).to.equal(model.waiting.size);
      expect(real.clock.pending).to.equal(model.due.size > 0 ? 1 : 0);
    },
    toString: () => name,
  };
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const { signal } = new AbortController();

const commands = [
  fc.tuple(key, fc.constantFrom<'high' | 'low'>('high', 'low')).map(([name, priority]) =>
    command(`add ${name} ${priority}`, (model, { queue }) => {
      model.add(name);
      queue.add(name, { priority });
    }),
  ),
  fc.tuple(key, fc.integer({ min: -1, max: 5_000 })).map(([name, wait]) =>
    command(`add ${name} after ${wait}`, (model, { queue }) => {
      model.addAfter(name, wait);
      queue.addAfter(name, wait);
    }),
  ),
  key.map((name) =>
    command(`failure of ${name}`, (model, { queue }) => {
      const failures = model.failures.get(name) ?? 0;
      model.failures.set(name, failures + 1);
      model.addAfter(name, Math.min(1_000_000, 5 * 2 ** failures));
      queue.addRateLimited(name);
      expect(queue.failures(name)).to.equal(failures + 1);
    }),
  ),
  key.map((name) =>
    command(`forget ${name}`, (model, { queue }) => {
      model.failures.delete(name);
      queue.forget(name);
    }),
  ),
  fc.constant(
    command(
      'take',
      async (model, { queue }) => {
        const taken = await queue.take(signal);
        expect(taken).to.be.oneOf([...model.waiting]);
        model.waiting.delete(taken!);
        model.processing.add(taken!);
      },
      (model) => model.waiting.size > 0,
    ),
  ),
  key.map((name) =>
    command(
      `done ${name}`,
      (model, { queue }) => {
        model.processing.delete(name);
        if (model.again.delete(name)) model.waiting.add(name);
        queue.done(name);
      },
      (model) => model.processing.has(name),
    ),
  ),
  fc.integer({ min: 0, max: 10_000 }).map((milliseconds) =>
    command(`wait ${milliseconds}`, async (model, { clock }) => {
      model.advance(milliseconds);
      await clock.advance(milliseconds);
    }),
  ),
];

describe('WorkQueue against its model', () => {
  it('keeps its promises in any sequence', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 60 }), async (sequence) => {
        const clock = new VirtualClock();
        await fc.asyncModelRun(
          () => ({ model: new Model(), real: { clock, queue: new WorkQueue({ clock }) } }),
          sequence,
        );
      }),
      { numRuns: 400 },
    );
  });
});
