import { expect } from 'chai';
import { describeIssued, strayOf } from '../../../src/token/lifecycle/token-record.ts';
import { anIntent, aRecord, at, DAY, HOUR, ISSUED, PLACE } from '../../support/builders.ts';

describe('what is told of a token in force', () => {
  const record = aRecord({ id: 'token-2', expiresAt: at(2 * DAY) });
  const told = `ReadOnly token token-2 that expires at ${at(2 * DAY)}`;
  const NOW = ISSUED + HOUR;

  it('is which it is, and until when it lives', () => {
    expect(describeIssued(record, undefined, NOW)).to.equal(told);
    expect(describeIssued(record, aRecord(), NOW)).to.equal(told);
  });

  it('is that it never expires', () => {
    const { expiresAt: _, ...endless } = record;
    expect(describeIssued(endless, undefined, NOW)).to.equal('ReadOnly token token-2 that never expires');
  });

  it('is until when the one before lives, where that can not be revoked', () => {
    const before = aRecord({ revocable: false, expiresAt: at(DAY) });
    const rest = `; the registry can't revoke the one before, which ends at ${at(DAY)}`;
    expect(describeIssued(record, before, NOW)).to.equal(told + rest);
    expect(describeIssued(record, before, ISSUED + DAY), 'once that has ended').to.equal(told);
  });
});

describe('a token that came of a request and is not wanted', () => {
  const intent = anIntent({ revision: 2, scope: ['team'] });
  const { specHash, startedAt } = intent;
  const where = { account: 'default', region: 'us-south', place: PLACE };
  const SAME = { now: ISSUED + HOUR, registryNow: ISSUED + HOUR };

  it('is recorded by what was asked for, and with its expiry where that is known', () => {
    const stray = { id: 'stray', revision: 2, specHash, scope: ['team'], ...where, issuedAt: startedAt };
    for (const given of [{ id: 'stray' }, { id: 'stray', expiresAt: null }])
      expect(strayOf(intent, given, SAME)).to.deep.equal(stray);
    const expiring = { id: 'stray', expiresAt: ISSUED + DAY };
    expect(strayOf(intent, expiring, SAME)).to.deep.equal({ ...stray, expiresAt: at(DAY) });
  });

  it('was issued by the registry’s clock, though the request was timed by this machine’s', () => {
    const ahead = { now: ISSUED + HOUR, registryNow: ISSUED + 3 * HOUR };
    expect(strayOf(intent, { id: 'stray' }, ahead)).to.include({ issuedAt: at(2 * HOUR) });
  });

  it('was issued at an unknown time, where its request says no time', () => {
    expect(strayOf({ ...intent, startedAt: 'once' }, { id: 'stray' }, SAME)).to.not.have.property('issuedAt');
  });
});
