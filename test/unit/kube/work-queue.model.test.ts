import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Priority } from '../../../src/kube/queue/waiting-keys.ts';
import { WorkQueue } from '../../../src/kube/queue/work-queue.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const MAX_OF_ONE_LINE = 2;
/** Two lines of three keys. */
const KEYS = ['a0', 'a1', 'a2', 'b0', 'b1', 'b2'];
/** Time goes on with each step, so that no two keys come due at once: their order is not promised. Exact in binary. */
const INSTANT = 1 / 1024;
const lineOf = (key: string): string => key.slice(0, 1);

interface Waiting {
  key: string;
  priority: Priority;
}

/** What a work queue promises, by looking through everything each time. */
class Model {
  now = 0;
  /** In the order in which they came. */
  waiting: Waiting[] = [];
  readonly processing = new Set<string>();
  readonly again = new Map<string, Priority>();
  readonly due = new Map<string, number>();
  readonly failures = new Map<string, number>();
  /** Whose turn it is: for each priority the lines in which somebody waits. */
  readonly turns: Record<Priority, string[]> = { high: [], low: [] };
  highInARow = 0;
  takers = 0;
  shutDown = false;
  /** What was given to takers, undefined for one that was sent away. */
  readonly given: (string | undefined)[] = [];

  add(key: string, priority: Priority): void {
    if (this.shutDown) return;
    if (!this.processing.has(key)) return this.#wait(key, priority);
    if (this.again.get(key) !== 'high') this.again.set(key, priority);
  }

  addAfter(key: string, wait: number): void {
    if (this.shutDown) return;
    if (wait <= 0) this.add(key, 'low');
    else this.due.set(key, Math.min(this.now + wait, this.due.get(key) ?? Infinity));
  }

  fail(key: string): void {
    if (this.shutDown) return;
    const failures = this.failures.get(key) ?? 0;
    this.failures.set(key, failures + 1);
    this.addAfter(key, Math.min(1_000_000, 5 * 2 ** failures));
  }

  done(key: string): void {
    this.processing.delete(key);
    const priority = this.again.get(key);
    this.again.delete(key);
    if (priority) this.#wait(key, priority);
    this.serve();
  }

  stop(): void {
    this.shutDown = true;
    this.due.clear();
    this.serve();
  }

  advance(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (const [key, due] of [...this.due].sort(([, one], [, other]) => one - other)) {
      if (due > end) continue;
      this.due.delete(key);
      this.add(key, 'low');
    }
    this.now = end;
  }

  serve(): void {
    for (; this.takers > 0; this.takers--) {
      const next = this.#next();
      if (next) this.#give(next);
      else if (this.shutDown && this.waiting.length === 0) this.given.push(undefined);
      else return;
    }
  }

  #wait(key: string, priority: Priority): void {
    const known = this.waiting.find((each) => each.key === key);
    if (known && (known.priority === 'high' || priority === 'low')) return;
    if (known) this.#leave(known);
    this.waiting.push({ key, priority });
    const turns = this.turns[priority];
    if (!turns.includes(lineOf(key))) turns.push(lineOf(key));
    this.serve();
  }

  #next(): Waiting | undefined {
    const order: Priority[] = this.highInARow < 8 ? ['high', 'low'] : ['low', 'high'];
    for (const priority of order)
      for (const line of this.turns[priority]) {
        const busy = [...this.processing].filter((key) => lineOf(key) === line).length;
        if (busy < MAX_OF_ONE_LINE)
          return this.waiting.find((each) => each.priority === priority && lineOf(each.key) === line);
      }
    return undefined;
  }

  #give(next: Waiting): void {
    const { key, priority } = next;
    this.highInARow = priority === 'low' ? 0 : this.highInARow + 1;
    this.processing.add(key);
    this.given.push(key);
    this.#leave(next);
    const turns = this.turns[priority];
    // Its turn is over.
    if (turns.includes(lineOf(key))) turns.push(...turns.splice(turns.indexOf(lineOf(key)), 1));
  }

  #leave(left: Waiting): void {
    this.waiting = this.waiting.filter((each) => each !== left);
    const line = lineOf(left.key);
    const stays = this.waiting.some(
      ({ key, priority }) => priority === left.priority && lineOf(key) === line,
    );
    if (!stays) this.turns[left.priority] = this.turns[left.priority].filter((each) => each !== line);
  }
}

interface Real {
  clock: VirtualClock;
  queue: WorkQueue;
  given: (string | undefined)[];
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
      model.advance(INSTANT);
      await real.clock.advance(INSTANT);
      expect(real.given).to.deep.equal(model.given);
      expect(real.queue.length).to.equal(model.waiting.length);
      expect(real.clock.pending).to.equal(model.due.size > 0 ? 1 : 0);
    },
    toString: () => name,
  };
}

const key = fc.constantFrom(...KEYS);
const { signal } = new AbortController();

const adding = fc.tuple(key, fc.constantFrom<Priority>('high', 'low')).map(([name, priority]) =>
  command(`add ${name} ${priority}`, (model, { queue }) => {
    model.add(name, priority);
    queue.add(name, { priority });
  }),
);
const delaying = fc.tuple(key, fc.integer({ min: -1, max: 5_000 })).map(([name, wait]) =>
  command(`add ${name} after ${wait}`, (model, { queue }) => {
    model.addAfter(name, wait);
    queue.addAfter(name, wait);
  }),
);
const failing = key.map((name) =>
  command(`failure of ${name}`, (model, { queue }) => {
    model.fail(name);
    queue.addRateLimited(name);
    expect(queue.failures(name)).to.equal(model.failures.get(name) ?? 0);
  }),
);
const forgetting = key.map((name) =>
  command(`forget ${name}`, (model, { queue }) => {
    model.failures.delete(name);
    queue.forget(name);
  }),
);
const taking = fc.constant(
  command(
    'take',
    (model, { queue, given }) => {
      model.takers++;
      model.serve();
      void queue.take(signal).then((taken) => given.push(taken));
    },
    // With more that wait for keys than keys that wait, there would be no order to see.
    ({ takers }) => takers < 2,
  ),
);
const finishing = key.map((name) =>
  command(
    `done ${name}`,
    (model, { queue }) => {
      model.done(name);
      queue.done(name);
    },
    (model) => model.processing.has(name),
  ),
);
const waiting = fc.integer({ min: 0, max: 10_000 }).map((milliseconds) =>
  command(`wait ${milliseconds}`, async (model, { clock }) => {
    model.advance(milliseconds);
    await clock.advance(milliseconds);
  }),
);
const stopping = fc.constant(
  command('shut down', (model, { queue }) => {
    model.stop();
    queue.shutDown();
  }),
);

const commands = fc.oneof(
  { weight: 24, arbitrary: adding },
  { weight: 9, arbitrary: delaying },
  { weight: 6, arbitrary: failing },
  { weight: 3, arbitrary: forgetting },
  { weight: 21, arbitrary: taking },
  { weight: 18, arbitrary: finishing },
  { weight: 6, arbitrary: waiting },
  { weight: 1, arbitrary: stopping },
);

describe('WorkQueue against its model', () => {
  it('gives out what it promises, in the order it promises, in any sequence', async function () {
    this.timeout(60_000);
    const real = (): Real => {
      const clock = new VirtualClock();
      const fairness = { lineOf, maxOfOneLine: MAX_OF_ONE_LINE };
      return { clock, queue: new WorkQueue({ clock, fairness }), given: [] };
    };
    await fc.assert(
      fc.asyncProperty(fc.commands([commands], { maxCommands: 150, size: 'max' }), (sequence) =>
        fc.asyncModelRun(() => ({ model: new Model(), real: real() }), sequence),
      ),
      { numRuns: 400 },
    );
  });
});
