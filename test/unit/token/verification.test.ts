import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Verdict } from '../../../src/common/verdict.ts';
import {
  ACCEPTANCE_TIME,
  isWaiting,
  recordedRefusal,
  rule,
  type Waiting,
} from '../../../src/token/verification.ts';
import { HOUR, ISSUED, SECOND } from '../../support/builders.ts';

const ACCEPTED: Verdict = { answer: 'accepted' };
const REFUSED: Verdict = { answer: 'refused', message: 'us.icr.io answered 401' };
const UNKNOWN: Verdict = { answer: 'unknown', message: 'us.icr.io could not be asked' };
const WAITING: Waiting = { action: 'wait', refusal: 'it said no', until: ISSUED + SECOND };

const rows: [what: string, verdict: Verdict, before: Waiting | undefined, elapsed: number, ruling: object][] =
  [
    ['accepted', ACCEPTED, undefined, 0, { action: 'use', doubt: undefined }],
    ['accepted in the end', ACCEPTED, WAITING, 29 * SECOND, { action: 'use', doubt: undefined }],
    ['accepted, if late', ACCEPTED, WAITING, HOUR, { action: 'use', doubt: undefined }],
    ['nobody to ask', UNKNOWN, undefined, 0, { action: 'use', doubt: UNKNOWN.message }],
    ['nobody to ask for long', UNKNOWN, undefined, HOUR, { action: 'use', doubt: UNKNOWN.message }],
    [
      'refused at first',
      REFUSED,
      undefined,
      0,
      { action: 'wait', refusal: REFUSED.message, until: ISSUED + SECOND },
    ],
    ['refused again', REFUSED, WAITING, 4 * SECOND, { action: 'wait', until: ISSUED + 8 * SECOND }],
    ['refused near the end', REFUSED, WAITING, 20 * SECOND, { action: 'wait', until: ISSUED + 30 * SECOND }],
    [
      'refused, then nobody to ask',
      UNKNOWN,
      WAITING,
      2 * SECOND,
      { action: 'wait', refusal: WAITING.refusal },
    ],
    ['refused for too long', REFUSED, WAITING, 30 * SECOND, { action: 'refuse' }],
    ['refused, then nobody to ask for too long', UNKNOWN, WAITING, 30 * SECOND, { action: 'refuse' }],
    [
      'refused long after it was made, for the first time',
      REFUSED,
      undefined,
      HOUR,
      { action: 'wait', refusal: REFUSED.message, until: ISSUED + HOUR + SECOND },
    ],
    ['refused long after it was made, and again', REFUSED, WAITING, HOUR, { action: 'refuse' }],
    ['refused before it was made: the clock was set back', REFUSED, WAITING, -HOUR, { action: 'refuse' }],
  ];

describe('a new token is tried', () => {
  for (const [what, verdict, before, elapsed, ruling] of rows) {
    it(what, () => expect(rule(verdict, before, ISSUED, ISSUED + elapsed)).to.deep.include(ruling));
  }

  it('and refused for good: a failure that says what it is and what to do', () => {
    const ruling = rule(REFUSED, WAITING, ISSUED, ISSUED + HOUR);
    const failure = ruling.action === 'refuse' ? ruling.failure : undefined;
    expect(failure).to.include({ reason: 'TokenRefused', retryable: false });
    expect(failure?.message).to.include(REFUSED.message).and.include('spec.verify');
  });

  it('at most eight times within its half minute, and never in the Secret once refused unless accepted', () => {
    const verdicts = fc.array(fc.constantFrom(REFUSED, UNKNOWN), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(verdicts, fc.integer({ min: 0, max: 999 }), (after, late) => {
        let now = ISSUED + late;
        let before: Waiting | undefined;
        for (const verdict of [REFUSED, ...after]) {
          const ruling = rule(verdict, before, ISSUED, now);
          if (ruling.action === 'refuse') {
            expect(now - ISSUED).to.be.at.least(ACCEPTANCE_TIME);
            return;
          }
          if (ruling.action === 'use') throw new Error('used');
          expect(ruling.until).to.be.above(now);
          before = ruling;
          now = ruling.until;
        }
        throw new Error('it never ended');
      }),
    );
  });

  it('and left alone until it is time, unless the clock was set back', () => {
    const waiting = (later: number): boolean => isWaiting(WAITING, ISSUED + later);
    expect([0, 999, 1_000, 2_000, -HOUR].map(waiting)).to.deep.equal([true, true, false, false, false]);
  });

  it('by an earlier process and refused: the intent says so, and a doubt does not undo it', () => {
    const before = recordedRefusal({ phase: 'Verifying' });
    expect(before).to.include({ action: 'wait' });
    for (const phase of ['Announced', 'Unconfirmed'] as const)
      expect(recordedRefusal({ phase })).to.equal(undefined);
    expect(isWaiting(before ?? WAITING, ISSUED)).to.equal(false);
    expect(rule(UNKNOWN, before, ISSUED, ISSUED + SECOND)).to.include({ action: 'wait' });
  });
});
