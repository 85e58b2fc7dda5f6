import { expect } from 'chai';
import { failures, SCENARIOS, TIMEOUT } from './disturbances.ts';

describe('an operator that dies right before or after any effect', function () {
  this.timeout(TIMEOUT);
  for (const [name, scenario] of SCENARIOS) {
    it(`${name}: recovers`, async () => {
      expect(await failures(scenario, (crashAt) => ({ crashAt }))).to.deep.equal([]);
    });
  }
});
