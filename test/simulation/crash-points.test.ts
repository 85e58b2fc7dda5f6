import { expect } from 'chai';
import { CALM } from './climate.ts';
import { bothOf } from './registries/registries.ts';
import { simulate, type SimulationOptions } from './simulation.ts';

const DEEDS = ['create', 'changeRelevant', 'renameSecret', 'rotate', 'delete', 'create'] as const;
const FEW = ['create', 'rotate', 'delete'] as const;
const CASES: [string, SimulationOptions][] = [
  [
    'and is back before the next change',
    { seed: 1, choice: bothOf('IBM registry tokens'), script: { deeds: DEEDS, pause: 60_000 } },
  ],
  [
    'and finds that more was changed meanwhile',
    { seed: 12, choice: bothOf('IBM registry tokens'), script: { deeds: DEEDS, pause: 900 } },
  ],
  [
    'at a registry with names in place of lists',
    { seed: 1, choice: bothOf('Harbor as robot'), script: { deeds: FEW, pause: 60_000 } },
  ],
  [
    'at a registry where tokens hang on identities',
    { seed: 3, choice: bothOf('IBM Cloud'), script: { deeds: FEW, pause: 6 * 60_000 } },
  ],
  [
    'at a registry that exchanges its account’s credentials for tokens',
    { seed: 2, choice: bothOf('Amazon ECR with a role'), script: { deeds: FEW, pause: 65_000 } },
  ],
];

/** Milliseconds; some 100 simulations on a busy machine. */
const TIMEOUT = 300_000;

/** Disturbs a scenario at each of its boundaries in turn. @returns what then went wrong */
async function failures(
  scenario: SimulationOptions,
  disturb: (boundary: number) => Pick<SimulationOptions, 'crashAt' | 'freezeAt'>,
): Promise<string[]> {
  const undisturbed = await simulate({ ...scenario, climate: CALM });
  expect(undisturbed.violations).to.deep.equal([]);
  const { mints, exchanges } = undisturbed.figures;
  expect(mints + exchanges).to.be.above(1);
  const found: string[] = [];
  for (let boundary = 1; boundary <= undisturbed.boundariesInStorm; boundary++) {
    const { violations } = await simulate({ ...scenario, climate: CALM, ...disturb(boundary) });
    if (violations.length > 0) found.push(`at boundary ${boundary}: ${violations.join('; ')}`);
  }
  return found;
}

describe('an operator that dies right before or after any effect', function () {
  this.timeout(TIMEOUT);
  for (const [name, scenario] of CASES) {
    it(`${name}: recovers`, async () => {
      expect(await failures(scenario, (crashAt) => ({ crashAt }))).to.deep.equal([]);
    });
  }
});

describe('an operator that is frozen past its lease right before or after any effect', function () {
  this.timeout(TIMEOUT);
  for (const [name, scenario] of CASES) {
    it(`${name}: sends nothing any more, and the next goes on`, async () => {
      expect(await failures(scenario, (freezeAt) => ({ freezeAt }))).to.deep.equal([]);
    });
  }
});
