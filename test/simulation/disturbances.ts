import { expect } from 'chai';
import { CALM } from './climate.ts';
import type { Outcome } from './figures.ts';
import { bothOf } from './registries/registries.ts';
import { simulate, type SimulationOptions } from './simulation.ts';

const DEEDS = ['create', 'changeRelevant', 'renameSecret', 'rotate', 'delete', 'create'] as const;
const FEW = ['create', 'rotate', 'delete'] as const;

/** What an operator is disturbed in: a scenario for each family of registries. */
export const SCENARIOS: readonly [string, SimulationOptions][] = [
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

/** Fewer than any scenario has. */
const MIN_BOUNDARIES = 15;
/** Milliseconds; some 100 simulations on a busy machine. */
export const TIMEOUT = 300_000;

/**
 * Disturbs a scenario at each of some boundaries in turn.
 * @param boundaries which, of those that the scenario has undisturbed
 * @returns what then went wrong
 */
export async function failures(
  scenario: SimulationOptions,
  boundaries: (undisturbed: Outcome) => readonly number[],
  disturb: (boundary: number) => Pick<SimulationOptions, 'crashAt' | 'freezeAt'>,
): Promise<string[]> {
  const undisturbed = await simulate({ ...scenario, climate: CALM });
  expect(undisturbed.violations).to.deep.equal([]);
  const { mints, exchanges } = undisturbed.figures;
  expect(mints + exchanges).to.be.above(1);
  const found: string[] = [];
  const chosen = boundaries(undisturbed);
  expect(chosen).to.have.length.above(MIN_BOUNDARIES);
  for (const boundary of chosen) {
    const { violations } = await simulate({ ...scenario, climate: CALM, ...disturb(boundary) });
    if (violations.length > 0) found.push(`at boundary ${boundary}: ${violations.join('; ')}`);
  }
  return found;
}
