import { expect } from 'chai';
import * as fc from 'fast-check';
import { deadOnArrival, skewRemark, type Moment } from '../../../src/token/lifecycle/clock-skew.ts';
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

/** The time at which tokens of the builders are issued. @param ahead how far the registry's clock is ahead */
const moment = (ahead: number): Moment => ({ now: ISSUED, registryNow: ISSUED + ahead });

describe('two clocks that differ', () => {
  it('are remarked on from a minute on', () => {
    expect(skewRemark(moment(HOUR))).to.equal(remark);
    expect(skewRemark(moment(-HOUR))).to.match(/ is 1h ahead of the registry's/);
    expect(skewRemark(moment(MINUTE - 1))).to.equal(undefined);
    expect(skewRemark(moment(1 - MINUTE))).to.equal(undefined);
  });

  it('are remarked on in the same words though each look measures another second', () => {
    expect(skewRemark(moment(HOUR + 1_000))).to.equal(remark);
    expect(skewRemark(moment(HOUR - 1_000))).to.equal(remark);
  });

  it('show in Ready, which stays true', () => {
    const status = { host: HOST, token: aRecord() };
    const facts = { status, spec: aTokenSpec(), wanted: aWanted(), secretHolds: true, ...moment(HOUR) };
    const [ready] = conditionsOf({ ...facts, outcome: { kind: 'done' } });
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
  for (const [what, expiry, ahead, dead] of cases) {
    it(`that ${what} is ${dead ? 'dead' : 'alive'}`, () => {
      const failure = deadOnArrival(expiry === null ? null : ISSUED + expiry, moment(ahead));
      expect(failure?.reason).to.equal(dead ? 'ClockSkew' : undefined);
    });
  }

  it('that is dead says by which clocks', () => {
    expect(deadOnArrival(ISSUED, moment(HOUR))).to.deep.equal({
      reason: 'ClockSkew',
      message: `the registry gave a token that had expired at 2026-01-01T00:00:00Z: ${remark}; correct the clock that is wrong`,
      retryable: true,
    });
    expect(deadOnArrival(ISSUED, moment(0))?.message).to.include(
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
        const off = { ...right, now: right.now + wrong };
        expect(untimed(decide(off))).to.deep.equal(untimed(decide(right)));
      }),
    );
  });

  it('looks again as soon as one whose clock is right', () => {
    const token = anIssuedToken();
    const look = (now: number, registryNow: number): number | undefined =>
      nextLook(token, aTokenSpec(), token.status ?? {}, { kind: 'done' }, undefined, { now, registryNow });
    fc.assert(
      fc.property(hours, hours, (age, wrong) => {
        const right = ISSUED + age;
        expect(look(right + wrong, right)).to.equal(look(right, right));
      }),
    );
  });
});
