import { expect } from 'chai';
import * as fc from 'fast-check';
import { budgetFreeAt, countMint } from '../../../src/token/mint-budget.ts';
import { at, DAY, HOUR, ISSUED, MINUTE, SECOND } from '../../support/builders.ts';

const NOW = ISSUED + HOUR;
const minutes = (...times: number[]): string[] => times.map((minute) => at(minute * MINUTE));

describe('the mint budget', () => {
  const rows: [string, string[] | undefined, number, number | undefined][] = [
    ['is free at first', undefined, 1, undefined],
    ['is free while there is some left', minutes(10, 20, 30, 40), 5, undefined],
    [
      'is free again an hour after the first of so many mints',
      minutes(10, 20, 30, 40, 50),
      5,
      ISSUED + 70 * MINUTE,
    ],
    [
      'counts the latest, where there are more than it allows',
      minutes(10, 20, 30, 40, 50),
      2,
      ISSUED + 100 * MINUTE,
    ],
    ['counts mints in any order', minutes(50, 20, 40, 10, 30), 5, ISSUED + 70 * MINUTE],
    ['does not count what is an hour old', minutes(0, 20, 30, 40, 50), 5, undefined],
    ['counts what is a second less than an hour old', [at(SECOND), ...minutes(20)], 2, NOW + SECOND],
    ['counts a mint that another clock dates a little ahead', minutes(61), 1, ISSUED + 121 * MINUTE],
    ['does not wait for a clock that was set back', [at(90 * DAY)], 1, undefined],
    ['does not count what is no time', ['soon'], 1, undefined],
    ['is without limit at 0', minutes(10, 20, 30, 40, 50), 0, undefined],
  ];
  for (const [name, times, budget, free] of rows) {
    it(name, () => expect(budgetFreeAt(times, budget, NOW)).to.equal(free));
  }

  it('records a mint and forgets those that no longer count', () => {
    expect(countMint(minutes(0, 30), 5, NOW)).to.deep.equal(minutes(30, 60));
    expect(countMint([at(90 * DAY)], 5, NOW)).to.deep.equal(minutes(60));
    expect(countMint(undefined, 5, NOW + 999)).to.deep.equal(minutes(60));
  });
  it('records no more than it counts', () => {
    expect(countMint(minutes(10, 20, 30), 2, NOW)).to.deep.equal(minutes(30, 60));
    expect(countMint(minutes(10), 0, NOW)).to.deep.equal([]);
  });

  it('allows so many mints in any hour, and no fewer, however they come', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 1800 }), { maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), pauses, (budget, seconds) => {
        const minted: number[] = [];
        let times: string[] | undefined;
        let now = ISSUED;
        for (const pause of seconds) {
          now += pause * SECOND;
          const recent = minted.filter((time) => time > now - HOUR).length;
          const free = budgetFreeAt(times, budget, now);
          expect(free === undefined).to.equal(recent < budget);
          if (free !== undefined)
            expect(free)
              .to.be.above(now)
              .and.at.most(now + HOUR);
          else {
            times = countMint(times, budget, now);
            minted.push(now);
          }
        }
      }),
    );
  });
});
