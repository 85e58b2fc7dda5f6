import { expect } from 'chai';
import * as fc from 'fast-check';
import { deadOnArrival, skewRemark } from '../../../src/token/lifecycle/clock-skew.ts';
import { conditionsOf } from '../../../src/token/lifecycle/conditions.ts';
import { decide, type Decision } from '../../../src/token/decide/decision.ts';
import { nextLook } from '../../../src/token/lifecycle/next-look.ts';
import {
  anIssuedToken,
  aRecord,
  aSituation,
  aTokenSpec,
  aWanted,
  DAY,
  HOST,
  HOUR,
  ISSUED,
  MINUTE,
} from '../../support/builders.ts';

const remark = `the operator's clock is 1h behind the registry's; one of them is wrong`;

describe('two clocks that differ', () => {
  it('are remarked on from a minute on', () => {
    expect(skewRemark(HOUR)).to.equal(remark);
    expect(skewRemark(-HOUR)).to.match(/ is 1h ahead of the registry's/);
    expect(skewRemark(MINUTE - 1)).to.equal(undefined);
    expect(skewRemark(1 - MINUTE)).to.equal(undefined);
  });

  it('are remarked on in the same words though each look measures another second', () => {
    expect(skewRemark(HOUR + 1_000)).to.equal(remark);
    expect(skewRemark(HOUR - 1_000)).to.equal(remark);
  });

  it('show in Ready, which stays true', () => {
    const status = { host: HOST, token: aRecord() };
    const facts = { status, spec: aTokenSpec(), wanted: aWanted(), secretHolds: true, now: ISSUED };
    const [ready] = conditionsOf({ ...facts, outcome: { kind: 'done' }, skew: HOUR });
    expect(ready).to.include({ status: 'True', reason: 'ClocksDiffer' });
    expect(ready?.message).to.equal(
      `Secret app holds a ReadOnly token for us.icr.io that expires at 2026-01-02T00:00:00Z, but ${remark}`,
    );
  });
});

describe('a new token', () => {
  const cases: [string, number | null, number, boolean][] = [
    ['lives', DAY, 0, false],
    ['never expires', null, DAY, false],
    ['expired long ago', -HOUR, 0, true],
    ['expires now', 0, 0, true],
    ['is dead by our clock but not by the registry’s', -HOUR, -2 * HOUR, false],
    ['lives by our clock but not by the registry’s', HOUR, 2 * HOUR, true],
  ];
  for (const [what, expiry, skew, dead] of cases) {
    it(`that ${what} is ${dead ? 'dead' : 'alive'}`, () => {
      const failure = deadOnArrival(expiry === null ? null : ISSUED + expiry, ISSUED, skew);
      expect(failure?.reason).to.equal(dead ? 'ClockSkew' : undefined);
    });
  }

  it('that is dead says by which clocks', () => {
    expect(deadOnArrival(ISSUED, ISSUED, HOUR)).to.deep.equal({
      reason: 'ClockSkew',
      message: `the registry gave a token that had expired at 2026-01-01T00:00:00Z: ${remark}; correct the clock that is wrong`,
      retryable: true,
    });
    expect(deadOnArrival(ISSUED, ISSUED, 0)?.message).to.include(
      "it is 2026-01-01T00:00:00Z by the operator's clock",
    );
  });
});

describe('an operator whose clock is wrong', () => {
  const hours = fc.integer({ min: -48 * 60, max: 48 * 60 }).map((minutes) => minutes * MINUTE);

  it('decides as one whose clock is right, once it knows by how much', () => {
    const untimed = (decision: Decision): object =>
      decision.action === 'rest' ? { action: 'rest' } : decision;
    fc.assert(
      fc.property(hours, hours, fc.constantFrom('Auto', 'Manual'), (age, wrong, policy) => {
        const token = { spec: { rotation: { policy } } } as const;
        const right = aSituation({ token, now: ISSUED + age });
        const off = { ...right, now: right.now + wrong, skew: -wrong };
        expect(untimed(decide(off))).to.deep.equal(untimed(decide(right)));
      }),
    );
  });

  it('looks again as soon as one whose clock is right', () => {
    const token = anIssuedToken();
    const look = (now: number, skew: number): number | undefined =>
      nextLook(token, aTokenSpec(), token.status ?? {}, { kind: 'done' }, undefined, now, skew);
    fc.assert(
      fc.property(hours, hours, (age, wrong) => {
        expect(look(ISSUED + age + wrong, -wrong)).to.equal(look(ISSUED + age, 0));
      }),
    );
  });
});
