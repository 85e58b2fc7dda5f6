import { expect } from 'chai';
import * as fc from 'fast-check';
import { fromTime, toDeadline, toTime } from '../../../src/api/syntax/time.ts';

const NOON = Date.parse('2026-01-01T12:00:00Z');

describe('times', () => {
  it('are whole seconds, rounded down', () => expect(toTime(NOON + 999)).to.equal('2026-01-01T12:00:00Z'));
  it('are rounded up where a wait ends', () => {
    expect(toDeadline(NOON)).to.equal('2026-01-01T12:00:00Z');
    expect(toDeadline(NOON + 1)).to.equal('2026-01-01T12:00:01Z');
  });

  const beyond: [string, number, string][] = [
    ['before 1970', -1, '1970-01-01T00:00:00Z'],
    ['after 9999', Date.UTC(10_000, 0), '9999-12-31T23:59:59Z'],
    ['beyond what a Date holds', 1e300, '9999-12-31T23:59:59Z'],
    ['without end', Infinity, '9999-12-31T23:59:59Z'],
  ];
  for (const [name, milliseconds, text] of beyond) {
    it(`are written even ${name}`, () => {
      expect(toTime(milliseconds)).to.equal(text);
      expect(toDeadline(milliseconds)).to.equal(text);
    });
  }

  it('are read with fractions and offsets, as others write them', () => {
    expect(fromTime('2026-01-01T13:00:00.250+01:00')).to.equal(NOON + 250);
  });
  it('are undefined where there is none, or nonsense', () => {
    expect(fromTime(undefined)).to.be.undefined;
    expect(fromTime('soon')).to.be.undefined;
  });

  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.nat(253_402_300_799), (seconds) => {
        expect(fromTime(toTime(seconds * 1000))).to.equal(seconds * 1000);
      }),
    );
  });
});
