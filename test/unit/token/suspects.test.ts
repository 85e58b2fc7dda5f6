import { expect } from 'chai';
import { confirm, nextCertain, type Suspects } from '../../../src/token/sweep/suspects.ts';
import { MINUTE } from '../../support/builders.ts';

describe('suspicion', () => {
  const delay = 10 * MINUTE;
  const suspect = { id: 'a' };
  const none: Suspects = new Map();

  it('one look makes nothing certain', () => {
    const { suspects, certain } = confirm([suspect], none, 0, delay);
    expect(certain).to.deep.equal([]);
    expect(nextCertain(suspects, 0, delay)).to.equal(delay);
  });

  const cases: [string, number, number][] = [
    ['too early', delay - 1, 0],
    ['after the delay', delay, 1],
    ['long after it', delay * 100, 1],
  ];
  for (const [when, now, count] of cases) {
    it(`a second look ${when} makes ${count} certain`, () => {
      const first = confirm([suspect], none, 0, delay).suspects;
      expect(confirm([suspect], first, now, delay).certain).to.have.length(count);
    });
  }

  it('begins anew when it was used in between', () => {
    const first = confirm([suspect], none, 0, delay).suspects;
    const second = confirm([], first, 5 * MINUTE, delay).suspects;
    const third = confirm([suspect], second, delay, delay);
    expect(third.certain).to.deep.equal([]);
    expect(confirm([suspect], third.suspects, 2 * delay, delay).certain).to.deep.equal([suspect]);
  });

  it('nothing is waited for once all are certain', () => {
    const { suspects } = confirm([suspect], none, 0, delay);
    expect(nextCertain(suspects, delay, delay)).to.equal(undefined);
    expect(nextCertain(none, 0, delay)).to.equal(undefined);
  });
});
