import { expect } from 'chai';
import * as fc from 'fast-check';
import { isTrouble, tokenReasons, type Reason } from '../../../src/api/reasons.ts';
import { newsOf } from '../../../src/token/lifecycle/news.ts';

const news = (before: string | undefined, reason: Reason) => newsOf(before, { reason, message: 'as it is' });

describe('news of a RegistryToken', () => {
  it('is what begins to keep it from its token, in its own words', () => {
    const warning = { what: 'begun', reason: 'SecretConflict', message: 'as it is' };
    for (const before of [undefined, 'Issued', 'Issuing', 'Suspended', 'AccountNotFound'])
      expect(news(before, 'SecretConflict')).to.deep.equal(warning);
  });
  it('is that nothing does any more, and what did', () => {
    for (const now of ['Issued', 'Issuing', 'Unverified', 'ClocksDiffer', 'RevocationFailed'] as const)
      expect(news('SecretConflict', now)).to.deep.equal({
        what: 'ended',
        reason: 'SecretConflict',
        message: 'SecretConflict is over: as it is',
      });
  });
  it('is none when it is suspended: nobody looks any more', () => {
    expect(news('SecretConflict', 'Suspended')).to.equal(undefined);
  });
  it('is none of what was never in the way, nor of a reason that nobody knows', () => {
    for (const before of [undefined, 'Issued', 'Rotating', 'toString', ''])
      expect(news(before, 'Issued')).to.equal(undefined);
  });
  it('is told once: over any course of things, warnings and their ends take turns, unless it is suspended', () => {
    const courses = fc.array(fc.constantFrom(...tokenReasons.filter((reason) => reason !== 'Suspended')));
    fc.assert(
      fc.property(courses, (course) => {
        let before: Reason | undefined;
        let open = false;
        for (const reason of course) {
          const told = news(before, reason);
          if (told?.what === 'ended') expect(open).to.equal(true);
          if (told) open = told.what === 'begun';
          expect(open).to.equal(isTrouble(reason));
          if (reason === before) expect(told).to.equal(undefined);
          before = reason;
        }
      }),
    );
  });
});
