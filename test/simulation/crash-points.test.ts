import { expect } from 'chai';
import { CALM } from './climate.ts';
import { simulate, type SimulationOptions } from './simulation.ts';

const DEEDS = ['create', 'changeRelevant', 'renameSecret', 'rotate', 'delete', 'create'] as const;
const CASES: [string, SimulationOptions][] = [
  ['and is back before the next change', { seed: 1, script: { deeds: DEEDS, pause: 60_000 } }],
  ['and finds that more was changed meanwhile', { seed: 2, script: { deeds: DEEDS, pause: 900 } }],
];

describe('an operator that dies right before or after any effect', () => {
  for (const [name, scenario] of CASES) {
    it(`${name}: recovers`, async () => {
      const undisturbed = await simulate({ ...scenario, climate: CALM });
      expect(undisturbed.violations).to.deep.equal([]);
      expect(undisturbed.figures.mints).to.be.above(1);
      const failures: string[] = [];
      for (let crashAt = 1; crashAt <= undisturbed.boundariesInStorm; crashAt++) {
        const { violations } = await simulate({ ...scenario, climate: CALM, crashAt });
        if (violations.length > 0) failures.push(`at boundary ${crashAt}: ${violations.join('; ')}`);
      }
      expect(failures).to.deep.equal([]);
    });
  }
});
