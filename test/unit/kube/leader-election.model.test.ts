import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Clock } from '../../../src/common/clock.ts';
import { settle, VirtualClock } from '../../support/virtual-clock.ts';
import { Candidate } from './support/candidate.ts';
import { ModelServer } from './support/model-server.ts';

/** The clock of a process that can be frozen: time goes on, but its timers fire only when it thaws. */
class FreezableClock implements Clock {
  readonly #clock: VirtualClock;
  #held: (() => void)[] | undefined;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now = (): number => this.#clock.now();
  monotonic = (): number => this.#clock.monotonic();

  after(milliseconds: number, callback: () => void): () => void {
    let cancelled = false;
    const run = (): void => {
      if (!cancelled) callback();
    };
    const cancel = this.#clock.after(milliseconds, () => {
      if (this.#held) this.#held.push(run);
      else run();
    });
    return () => {
      cancelled = true;
      cancel();
    };
  }

  freeze(): void {
    this.#held ??= [];
  }

  thaw(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const run of held) run();
  }
}

interface Process {
  candidate: Candidate;
  clock: FreezableClock;
}

const what = fc.constantFrom('cut', 'mend', 'freeze', 'thaw', 'stop', 'nothing');
const step = fc.record({ who: fc.nat({ max: 2 }), what, milliseconds: fc.integer({ min: 0, max: 20_000 }) });

function act({ candidate, clock }: Process, deed: string): void {
  if (deed === 'cut' || deed === 'mend') candidate.cut = deed === 'cut';
  if (deed === 'freeze') clock.freeze();
  if (deed === 'thaw') clock.thaw();
  if (deed === 'stop') candidate.stop.abort();
}

describe('LeaderElector among partitions, frozen processes and stops', () => {
  it('never lets two act as leader, and in the end lets one', async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const server = new ModelServer();
      const world = new VirtualClock();
      const start = (identity: string): Process => {
        const clock = new FreezableClock(world);
        return { clock, candidate: new Candidate(server, clock, identity) };
      };
      const processes = ['a', 'b', 'c'].map(start);
      const leaders = (): number => processes.filter(({ candidate }) => candidate.elector.isLeader).length;
      const pass = async (milliseconds: number): Promise<void> => {
        for (let passed = 0; passed < milliseconds; passed += 500) {
          await world.advance(500);
          expect(leaders()).to.be.at.most(1);
        }
      };
      for (const { who, what: deed, milliseconds } of steps) {
        act(processes[who]!, deed);
        await settle();
        expect(leaders()).to.be.at.most(1);
        await pass(milliseconds);
      }
      for (const process of processes) for (const deed of ['thaw', 'mend']) act(process, deed);
      processes.push(start('late'));
      await pass(40_000);
      expect(leaders()).to.equal(1);
      for (const { candidate } of processes) candidate.stop.abort();
      await world.advance(20_000);
      await Promise.all(processes.map(({ candidate }) => candidate.running));
      expect(world.pending).to.equal(0);
    });
    await fc.assert(property, { numRuns: 60 });
  });
});
