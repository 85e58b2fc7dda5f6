import { expect } from 'chai';
import { IBM_DIALECT } from '../../../src/registry/ibm-iam/dialect.ts';
import { classify } from '../../../src/registry/http/classification.ts';
import type { RegistryErrorCode } from '../../../src/registry/errors.ts';
import type { Flaw } from '../../../src/registry/http/answer.ts';
import type { Problem } from '../../../src/registry/http/problem.ts';

describe('classify', () => {
  interface Row {
    status: number;
    code?: string;
    message?: string;
    flaw?: Flaw;
    expected: RegistryErrorCode;
    /** Of a request that creates something, where that differs. */
    creating?: RegistryErrorCode;
    /** Of a request for one thing, where that differs. */
    naming?: RegistryErrorCode;
  }
  const rows: Row[] = [
    { status: 302, expected: 'InvalidRequest' },
    { status: 400, expected: 'InvalidRequest' },
    { status: 400, code: 'CRT0400E', expected: 'InvalidRequest' },
    { status: 400, code: 'BXNIM0415E', expected: 'Unauthorized' },
    { status: 400, code: 'BXNIM0407E', expected: 'Unauthorized' },
    { status: 400, code: 'BXNIM0109E', expected: 'InvalidRequest' },
    { status: 401, expected: 'Unauthorized' },
    { status: 401, code: 'CRG0009E', expected: 'Unauthorized' },
    { status: 403, code: 'CRG0020E', expected: 'Forbidden' },
    { status: 403, flaw: 'is HTML', expected: 'Forbidden' },
    { status: 404, code: 'CRT0404E', expected: 'InvalidRequest', naming: 'NotFound' },
    { status: 404, flaw: 'has no body', expected: 'InvalidRequest', naming: 'NotFound' },
    { status: 404, flaw: 'is HTML', expected: 'Unavailable' },
    { status: 405, expected: 'InvalidRequest' },
    { status: 408, expected: 'Unavailable', creating: 'Ambiguous' },
    { status: 409, expected: 'Conflict' },
    { status: 410, code: 'CRT0002E', expected: 'Discontinued' },
    { status: 410, expected: 'Discontinued' },
    {
      status: 422,
      code: 'BXNIM0151E',
      message: 'The maximum is reached',
      expected: 'QuotaExceeded',
    },
    { status: 422, message: 'Exceeded maximum policies quota error', expected: 'QuotaExceeded' },
    { status: 422, message: 'The limit of supported API keys is reached', expected: 'QuotaExceeded' },
    { status: 422, message: 'the description is unlimited', expected: 'InvalidRequest' },
    { status: 422, expected: 'InvalidRequest' },
    { status: 429, expected: 'RateLimited' },
    { status: 429, flaw: 'is HTML', expected: 'RateLimited' },
    { status: 500, expected: 'Unavailable', creating: 'Ambiguous' },
    { status: 500, code: 'CRG0000E', expected: 'Unavailable', creating: 'Ambiguous' },
    { status: 501, expected: 'Unavailable', creating: 'Ambiguous' },
    { status: 502, flaw: 'is HTML', expected: 'Unavailable', creating: 'Ambiguous' },
    { status: 503, code: 'CRG0014E', expected: 'Unavailable' },
    { status: 503, message: 'no code', expected: 'Unavailable', creating: 'Ambiguous' },
    { status: 503, flaw: 'is HTML', expected: 'Unavailable', creating: 'Ambiguous' },
    { status: 503, flaw: 'has no body', expected: 'Unavailable', creating: 'Ambiguous' },
    { status: 504, expected: 'Unavailable', creating: 'Ambiguous' },
    { status: 599, expected: 'Unavailable', creating: 'Ambiguous' },
  ];
  for (const { status, code, message, flaw, expected, creating = expected, naming = expected } of rows) {
    const problem: Problem | undefined =
      code === undefined && message === undefined ? undefined : { code, message, requestId: undefined };
    const looks = [status, code, message, flaw].filter(Boolean).join(' ');
    it(`calls ${looks} ${expected}, of a mint ${creating}, of one thing ${naming}`, () => {
      const answer = { status, flaw };
      expect(classify(answer, problem, { creates: false, names: false, dialect: IBM_DIALECT })).to.equal(
        expected,
      );
      expect(classify(answer, problem, { creates: true, names: false, dialect: IBM_DIALECT })).to.equal(
        creating,
      );
      expect(classify(answer, problem, { creates: false, names: true, dialect: IBM_DIALECT })).to.equal(
        naming,
      );
    });
  }
});
