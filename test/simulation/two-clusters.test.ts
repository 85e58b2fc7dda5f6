import { expect } from 'chai';
import { bothOf } from './registries/registries.ts';
import { simulateTwoClusters } from './two-clusters.ts';

/** A few; more with ROUGH below, where answers to mints get lost. */
const SEEDS = 8;
const ROUGH = {
  crash: 0.02,
  freeze: 0,
  apiFailure: 0.01,
  registryFailure: 0.2,
  staleness: 0.02,
  skew: 0,
  meddling: false,
  webhooks: false,
  restores: false,
};

describe('two clusters with the same ids on one registry account', () => {
  it(`keep their promises, and each lets the other's tokens live: seeds 1 to ${SEEDS}`, async function () {
    this.timeout(240_000);
    const made = [0, 0];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const outcome = await simulateTwoClusters(seed, {
        given: seed % 2 === 0 ? ROUGH : undefined,
        choice: bothOf(seed % 4 === 0 ? 'Harbor as administrator' : 'IBM registry tokens'),
      });
      expect(outcome.violations, `seed ${seed}`).to.deep.equal([]);
      outcome.made.forEach((count, at) => (made[at] = (made[at] ?? 0) + count));
    }
    expect(Math.min(...made)).to.be.above(SEEDS);
  });
});
