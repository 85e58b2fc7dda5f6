import { expect } from 'chai';
import { failures, SCENARIOS, TIMEOUT } from './disturbances.ts';
import type { Outcome } from './figures.ts';

/** Whoever dies leaves what is stored and what is on its way: dying twice while neither changes is dying once. */
const boundaries = ({ changedBefore }: Outcome): readonly number[] => changedBefore;

describe('an operator that dies right before or after any effect', function () {
  this.timeout(TIMEOUT);
  for (const [name, scenario] of SCENARIOS) {
    it(`${name}: recovers`, async () => {
      expect(await failures(scenario, boundaries, (crashAt) => ({ crashAt }))).to.deep.equal([]);
    });
  }
});
