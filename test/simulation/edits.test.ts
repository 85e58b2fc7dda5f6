import { expect } from 'chai';
import * as fc from 'fast-check';
import { CALM } from './climate.ts';
import { simulate } from './simulation.ts';
import type { Deed } from './users.ts';

const MINUTE = 60_000;
/** What administrators and users do while regions move. */
const DEEDS: readonly Deed[] = [
  'moveRegion',
  'moveRegion',
  'moveRegion',
  'moveBack',
  'removeRegion',
  'rotate',
  'create',
  'changeRelevant',
  'changeIrrelevant',
];

describe('however the regions of accounts are edited', () => {
  it('no Secret with which pods could pull gets worse, nothing that lives counts as revoked, and all is in order after', async function () {
    this.timeout(300_000);
    const edits = fc.record({
      seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      deeds: fc.array(fc.constantFrom(...DEEDS), { minLength: 4, maxLength: 16 }),
      pause: fc.constantFrom(5_000, MINUTE, 20 * MINUTE),
    });
    await fc.assert(
      fc.asyncProperty(edits, async ({ seed, deeds, pause }) => {
        const script = { deeds: ['create' as const, 'create' as const, ...deeds], pause };
        const { violations } = await simulate({ seed, climate: CALM, script });
        expect(violations).to.deep.equal([]);
      }),
      { numRuns: 20, endOnFailure: true },
    );
  });
});
