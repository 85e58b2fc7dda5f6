import { expect } from 'chai';
import * as fc from 'fast-check';
import { quantile, spreadOf } from '../../../bench/measure/statistics.ts';

describe('quantile', () => {
  it('gives the figure in the middle', () => {
    expect(quantile([3, 1, 2], 0.5)).to.equal(2);
  });

  it('gives a figure between the two that the share falls between', () => {
    expect(quantile([10, 20, 30, 40], 0.5)).to.equal(25);
    expect(quantile([0, 100], 0.99)).to.equal(99);
  });

  it('lies between the least and the most figure, and grows with the share', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (figures, one, other) => {
          const [low, high] = [Math.min(one, other), Math.max(one, other)].map((s) => quantile(figures, s));
          expect(low).to.be.at.least(Math.min(...figures));
          expect(high).to.be.at.most(Math.max(...figures));
          expect(low).to.be.at.most((high ?? NaN) + 1e-6);
        },
      ),
    );
  });

  it('refuses to tell of no figures', () => {
    expect(() => quantile([], 0.5)).to.throw(RangeError);
  });
});

describe('spreadOf', () => {
  it('gives the median, the least and the most', () => {
    expect(spreadOf([5, 1, 9])).to.deep.equal({ median: 5, least: 1, most: 9 });
  });
});
