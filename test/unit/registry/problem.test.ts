import { expect } from 'chai';
import { readProblem } from '../../../src/registry/ibm-iam/dialect.ts';
import { readErrorList, type Problem } from '../../../src/registry/http/problem.ts';

describe('readProblem', () => {
  const bodies: [string, unknown, Problem | undefined][] = [
    [
      'the registry',
      {
        code: 'CRG0009E',
        message: 'You are not authorized to access the specified account.',
        'request-id': '72-1540337041.610-99712',
      },
      {
        code: 'CRG0009E',
        message: 'You are not authorized to access the specified account.',
        requestId: '72-1540337041.610-99712',
      },
    ],
    [
      'the registry, Docker V2',
      { errors: [{ code: 'UNAUTHORIZED', message: 'Authorization required.', detail: [{ Type: 'x' }] }] },
      { code: 'UNAUTHORIZED', message: 'Authorization required.', requestId: undefined },
    ],
    [
      'the exchange of API keys',
      {
        context: { requestId: 'cGI3bGc', requestType: 'incoming.Identity_Token', locale: 'en_US' },
        errorCode: 'BXNIM0415E',
        errorMessage: 'Provided API key could not be found.',
        errorDetails: 'details',
      },
      { code: 'BXNIM0415E', message: 'Provided API key could not be found.', requestId: 'cGI3bGc' },
    ],
    [
      'IAM identity',
      {
        context: { transaction_id: 'transaction' },
        status_code: '404',
        errors: [
          {
            code: 'not_found',
            message_code: 'BXNIM0102E',
            message: 'Unable to find object',
            details: 'Object ty...',
          },
        ],
        trace: 'trace-1',
      },
      { code: 'BXNIM0102E', message: 'Unable to find object', requestId: 'trace-1' },
    ],
    [
      'IAM identity without a trace',
      { context: { transaction_id: 'transaction' }, errors: [{ code: 'not_found', message: 'm' }] },
      { code: 'not_found', message: 'm', requestId: 'transaction' },
    ],
    [
      'IAM policy',
      {
        errors: [
          {
            code: 'policy_conflict_error',
            message: 'The policy was not created.',
            details: { conflicts_with: { etag: '1-a', policy: { id: 'p' } } },
            more_info: 'https://cloud.ibm.com/apidocs',
          },
        ],
      },
      { code: 'policy_conflict_error', message: 'The policy was not created.', requestId: undefined },
    ],
    ['a code alone', { code: 'CRT0002E' }, { code: 'CRT0002E', message: undefined, requestId: undefined }],
    ['a message alone', { message: 'no' }, { code: undefined, message: 'no', requestId: undefined }],
    ['numbers for texts', { code: 5, message: {}, errors: [7] }, undefined],
    ['empty texts', { code: '', message: '' }, undefined],
    ['no errors', { errors: [] }, undefined],
    ['something else', { error: 'x' }, undefined],
    ['a list', [1], undefined],
    ['null', null, undefined],
    ['text', 'Internal Error', undefined],
    ['nothing', undefined, undefined],
  ];
  for (const [name, body, expected] of bodies) {
    it(`reads ${name}`, () => {
      expect(readProblem(body)).to.deep.equal(expected);
    });
  }
});

describe('readErrorList', () => {
  const bodies: [string, unknown, Partial<Problem> | undefined][] = [
    [
      'the first of several',
      { errors: [{ code: 'A', message: 'a' }, { code: 'B' }] },
      { code: 'A', message: 'a' },
    ],
    ['a code alone', { errors: [{ code: 'A' }] }, { code: 'A', message: undefined }],
    ['a message alone', { errors: [{ message: 'a' }] }, { code: undefined, message: 'a' }],
    ['an error without either', { errors: [{ detail: 'a' }] }, undefined],
    ['no errors', { errors: [] }, undefined],
    ['something else', { errors: 'a' }, undefined],
  ];
  for (const [name, body, expected] of bodies)
    it(`reads ${name}`, () => {
      expect(readErrorList(body)).to.deep.equal(expected && { ...expected, requestId: undefined });
    });
});
