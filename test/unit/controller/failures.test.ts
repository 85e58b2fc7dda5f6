import { expect } from 'chai';
import { failureOf } from '../../../src/controller/shared/failures.ts';
import { RegistryError, type RegistryErrorCode } from '../../../src/registry/errors.ts';

describe('a registry’s error', () => {
  const cases: [code: RegistryErrorCode, reason: string][] = [
    ['Unauthorized', 'RegistryUnauthorized'],
    ['Forbidden', 'RegistryForbidden'],
    ['NotFound', 'RegistryRefused'],
    ['Conflict', 'RegistryConflict'],
    ['QuotaExceeded', 'RegistryQuotaExceeded'],
    ['RateLimited', 'RegistryRateLimited'],
    ['Discontinued', 'RegistryDiscontinued'],
    ['InvalidRequest', 'RegistryRefused'],
    ['Unavailable', 'RegistryUnavailable'],
    ['Ambiguous', 'MintUnconfirmed'],
  ];
  for (const [code, reason] of cases) {
    it(`${code} is told as ${reason}`, () => {
      const error = new RegistryError(code, 'why');
      expect(failureOf(error)).to.include({ reason, message: 'why', retryable: error.retryable });
    });
  }

  it('passes on how long the registry asked to wait', () => {
    const error = new RegistryError('RateLimited', 'slow down', { retryAfter: 7_000 });
    expect(failureOf(error)).to.include({ retryAfter: 7_000 });
  });

  it('is nothing else: what is a bug stays one', () => {
    const bug = new TypeError('bug');
    expect(() => failureOf(bug)).to.throw(bug);
  });
});
