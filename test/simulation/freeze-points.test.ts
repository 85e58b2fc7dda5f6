import { expect } from 'chai';
import { failures, SCENARIOS, TIMEOUT } from './disturbances.ts';
import type { Outcome } from './figures.ts';

/** Whoever is frozen goes on with what it had in mind: each boundary counts. */
const boundaries = ({ boundariesInStorm }: Outcome): readonly number[] =>
  Array.from({ length: boundariesInStorm }, (_, index) => index + 1);

/** In a file of its own, so that it runs beside the crash points: both take long. */
describe('an operator that is frozen past its lease right before or after any effect', function () {
  this.timeout(TIMEOUT);
  for (const [name, scenario] of SCENARIOS) {
    it(`${name}: sends nothing any more, and the next goes on`, async () => {
      expect(await failures(scenario, boundaries, (freezeAt) => ({ freezeAt }))).to.deep.equal([]);
    });
  }
});
