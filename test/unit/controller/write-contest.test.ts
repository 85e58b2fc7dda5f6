import { expect } from 'chai';
import { Contest } from '../../../src/controller/shared/write-contest.ts';
import { HOUR, MINUTE, SECOND } from '../../support/builders.ts';

/** A thing that was written so many times at once. */
function fought(writes: number): Contest {
  const contest = new Contest();
  for (let write = 0; write < writes; write++) contest.count(0);
  return contest;
}

describe('of a thing that somebody else keeps changing back', () => {
  const pauses: [writes: number, pause: number][] = [
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 30 * SECOND],
    [4, MINUTE],
    [9, 32 * MINUTE],
    [10, HOUR],
    [11, HOUR],
    [99, HOUR],
  ];
  for (const [writes, pause] of pauses)
    it(`the next write waits ${pause / SECOND} s after ${writes}`, () => {
      expect(fought(writes).pause(0)).to.equal(pause);
    });

  it('the wait passes', () => {
    const contest = fought(3);
    expect([20, 30, 40].map((seconds) => contest.pause(seconds * SECOND))).to.deep.equal([10 * SECOND, 0, 0]);
  });

  const calm: [what: string, after: number, pause: number][] = [
    ['goes on for ten minutes after a wait', 10 * MINUTE + 30 * SECOND, MINUTE],
    ['is over after more than that', 10 * MINUTE + 30 * SECOND + 1, 0],
  ];
  for (const [what, after, pause] of calm)
    it(`the fight ${what}`, () => {
      const contest = fought(3);
      contest.count(after);
      expect(contest.pause(after)).to.equal(pause);
    });
});
