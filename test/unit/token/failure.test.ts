import { expect } from 'chai';
import * as fc from 'fast-check';
import { isTrouble } from '../../../src/api/reasons.ts';
import { failureOf } from '../../../src/controller/shared/failures.ts';
import { RegistryError, type RegistryErrorCode } from '../../../src/registry/errors.ts';
import {
  isRegistryFailure,
  retryDelay,
  withFailure,
  withoutFailure,
} from '../../../src/token/lifecycle/failure.ts';
import { aRecord, at, HOUR, ISSUED, MINUTE, SECOND } from '../../support/builders.ts';

describe('the wait after a failure', () => {
  const rows: [name: string, failure: Parameters<typeof retryDelay>[0], waits: number[]][] = [
    [
      'doubles from 2 s to 5 min where waiting helps',
      { retryable: true },
      [2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((seconds) => seconds * SECOND),
    ],
    [
      'doubles from 1 min to 1 h where somebody has to act',
      { retryable: false },
      [1, 2, 4, 8, 16, 32, 60, 60].map((minutes) => minutes * MINUTE),
    ],
    [
      'is as long as the other side asked for',
      { retryable: true, retryAfter: 20 * SECOND },
      [20, 20, 20, 20, 32].map((seconds) => seconds * SECOND),
    ],
    [
      'is never longer than an hour because the other side asked for it',
      { retryable: true, retryAfter: 1e300 },
      [HOUR],
    ],
  ];
  for (const [name, failure, waits] of rows) {
    it(name, () => expect(waits.map((_, index) => retryDelay(failure, index + 1, 0))).to.deep.equal(waits));
  }

  it('is up to a fifth longer by chance, and no more', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.boolean(), fc.integer({ min: 1 }), random, (retryable, attempts, chance) => {
        const shortest = retryDelay({ retryable }, attempts, 0);
        expect(retryDelay({ retryable }, attempts, chance)).to.be.within(shortest, shortest * 1.2);
      }),
    );
  });
});

describe('the reason of a failure', () => {
  const codes: RegistryErrorCode[] = [
    'Unauthorized',
    'Forbidden',
    'NotFound',
    'Conflict',
    'QuotaExceeded',
    'RateLimited',
    'Discontinued',
    'InvalidRequest',
    'Unavailable',
    'Ambiguous',
  ];
  for (const code of codes) {
    it(`is the registry’s and trouble for ${code}`, () => {
      const { reason } = failureOf(new RegistryError(code, 'no'));
      expect(isRegistryFailure(reason)).to.be.true;
      expect(isTrouble(reason)).to.be.true;
    });
  }
  it('is not the registry’s where the API server refused the Secret', () => {
    for (const reason of ['SecretNotWritten', 'NamespaceTerminating'] as const)
      expect(isRegistryFailure(reason)).to.be.false;
  });
});

describe('a failure', () => {
  const NOW = ISSUED + HOUR;
  const FAILURE = { reason: 'RegistryUnavailable', message: 'no answer', retryable: true } as const;

  it('is counted, and says when to try again', () => {
    const once = withFailure({ token: aRecord() }, FAILURE, NOW, 0);
    expect(once).to.deep.equal({
      token: aRecord(),
      failedAttempts: 1,
      lastFailure: { time: at(HOUR), reason: FAILURE.reason, message: FAILURE.message },
      nextRetryTime: at(HOUR + 2 * SECOND),
    });
    expect(withFailure(once, FAILURE, NOW + 2 * SECOND, 0.5)).to.deep.equal({
      token: aRecord(),
      failedAttempts: 2,
      lastFailure: { time: at(HOUR + 2 * SECOND), reason: FAILURE.reason, message: FAILURE.message },
      nextRetryTime: at(HOUR + 7 * SECOND),
    });
  });
  it('is forgotten without a trace', () => {
    const status = { token: aRecord() };
    expect(withoutFailure(withFailure(status, FAILURE, NOW, 0, 'now'))).to.deep.equal(status);
  });
  it('can be written, however long the other side asks to wait', () => {
    const failure = { ...FAILURE, retryAfter: Number.MAX_VALUE };
    expect(withFailure({}, failure, NOW, 0).nextRetryTime).to.equal(at(2 * HOUR));
  });
  it('says which request for a rotation it was', () => {
    expect(withFailure({}, FAILURE, NOW, 0, 'now')).to.include({ lastTriedRotate: 'now' });
    expect(withFailure({}, FAILURE, NOW, 0)).to.not.have.property('lastTriedRotate');
  });
});
