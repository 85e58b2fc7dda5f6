import { inspect } from 'node:util';
import { expect } from 'chai';
import { KubeError, noAnswer, refusal } from '../../../src/kube/client/errors.ts';

const call = { method: 'POST', path: '/api/v1/namespaces/a/pods' };
const secretCall = { method: 'PATCH', path: '/api/v1/namespaces/a/secrets/b' };
const status = (reason: string, message = 'why', details = {}): object => ({
  kind: 'Status',
  reason,
  message,
  details,
});

describe('KubeError', () => {
  const PREDICATES = [
    'isNotFound',
    'isConflict',
    'isAlreadyExists',
    'isGone',
    'isForbidden',
    'isInvalid',
    'isNamespaceTerminating',
    'isRetryable',
  ] as const;
  type Predicate = (typeof PREDICATES)[number];

  const terminating = { causes: [{ reason: 'NamespaceTerminating', message: 'being terminated' }] };
  const anotherUid = {
    causes: [{ reason: 'FieldValueInvalid', field: 'metadata.uid', message: 'immutable' }],
  };
  const cases: [number, object, Predicate[]][] = [
    [400, status('BadRequest'), []],
    [401, status('Unauthorized'), []],
    [403, status('Forbidden'), ['isForbidden']],
    [403, status('Forbidden', 'no', terminating), ['isForbidden', 'isNamespaceTerminating']],
    [404, status('NotFound'), ['isNotFound']],
    [409, status('Conflict'), ['isConflict']],
    [409, status('AlreadyExists'), ['isAlreadyExists']],
    [410, status('Expired'), ['isGone']],
    [410, status('Gone'), ['isGone']],
    [422, status('Invalid'), ['isInvalid']],
    [422, status('Invalid', 'no', anotherUid), ['isConflict', 'isInvalid']],
    [429, status('TooManyRequests'), ['isRetryable']],
    [500, status('InternalError'), ['isRetryable']],
    [501, {}, []],
    [503, {}, ['isRetryable']],
    [504, status('Timeout'), ['isRetryable']],
  ];
  for (const [code, body, expected] of cases) {
    it(`${code} ${JSON.stringify(body)} is ${expected.join(', ') || 'nothing special'}`, () => {
      const error = refusal(call, code, body);
      expect(PREDICATES.filter((predicate) => error[predicate])).to.deep.equal(expected);
    });
  }

  it('is retryable without an answer', () => {
    const error = noAnswer(call, Object.assign(new Error('long story'), { code: 'ECONNREFUSED' }));
    expect(error.message).to.equal(
      'POST /api/v1/namespaces/a/pods: no usable answer from the API server (ECONNREFUSED)',
    );
    expect(PREDICATES.filter((predicate) => error[predicate])).to.deep.equal(['isRetryable']);
  });

  it('passes a KubeError on as it is', () => {
    const error = new KubeError('mine');
    expect(noAnswer(call, error)).to.equal(error);
  });

  it('tells what the server said', () => {
    const causes = [{ reason: 'FieldValueInvalid', field: 'spec.x', message: 'too long' }];
    const error = refusal(call, 422, status('Invalid', 'spec.x: too long', { causes }));
    expect(error.message).to.equal('POST /api/v1/namespaces/a/pods: 422 Invalid - spec.x: too long');
    expect(error.causes).to.deep.equal(causes);
  });

  describe('about Secrets', () => {
    const hush = 'hush';
    const quoting = status('Invalid', `data[x]: Invalid value: "${hush}"`, {
      causes: [{ reason: 'FieldValueInvalid', field: 'data[x]', message: `Invalid value: "${hush}"` }],
    });

    for (const path of [
      '/api/v1/secrets',
      '/api/v1/namespaces/a/secrets',
      '/api/v1/namespaces/a/secrets/b',
      '/api/v1/namespaces/a/serviceaccounts/b/token',
    ]) {
      it(`names reason and fields of ${path}, not values`, () => {
        const error = refusal({ method: 'PATCH', path }, 422, quoting);
        expect(error.message).to.equal(`PATCH ${path}: 422 Invalid - (data[x] FieldValueInvalid)`);
        expect(JSON.stringify([error, error.causes, error.stack])).to.not.contain(hush);
      });
    }

    const denials: [what: string, said: string, by: string][] = [
      [
        'a webhook that denies it',
        `admission webhook "w.example.com" denied the request: ${hush}`,
        'admission webhook "w.example.com" denied the request',
      ],
      [
        'a webhook that does not answer',
        `Internal error occurred: failed calling webhook "w.example.com": ${hush}`,
        'failed calling webhook "w.example.com"',
      ],
      [
        'a policy with its binding',
        `secrets "b" is forbidden: ValidatingAdmissionPolicy 'p.example.com' with binding 'q' denied request: ${hush}`,
        "ValidatingAdmissionPolicy 'p.example.com' with binding 'q' denied request",
      ],
    ];
    for (const [what, said, by] of denials)
      it(`names ${what}; its words, which can quote the object, are kept redacted`, () => {
        const causes = [{ message: hush }];
        const error = refusal(secretCall, 422, status('Invalid', said, { causes }));
        expect(error.message).to.equal(`PATCH /api/v1/namespaces/a/secrets/b: 422 Invalid - ${by}`);
        expect(error.denial?.explanation.reveal()).to.equal(hush);
        expect(inspect(error) + JSON.stringify(error)).to.not.contain(hush);
      });

    it('takes nothing for a name that could be more', () => {
      const long = status('Forbidden', `admission webhook "${hush} ${hush}" denied the request: no`);
      expect(refusal(secretCall, 403, long).message).to.not.contain(hush);
    });

    it('tells which quota is exceeded', () => {
      const message =
        'secrets "b" is forbidden: exceeded quota: objects, requested: count/secrets=1, used: count/secrets=10, limited: count/secrets=10';
      expect(refusal(secretCall, 403, status('Forbidden', message)).message).to.contain(message);
    });

    it('does not take a denial for a quota that quotes one', () => {
      const message = `admission webhook "w" denied the request: secrets "b" is forbidden: exceeded quota: ${hush}`;
      expect(refusal(secretCall, 403, status('Forbidden', message)).message).to.not.contain(hush);
    });

    it('tells which namespace is being deleted', () => {
      const message =
        'secrets "b" is forbidden: unable to create new content in namespace a because it is being terminated';
      expect(refusal(secretCall, 403, status('Forbidden', message)).message).to.contain(message);
    });

    it('tells which right is missing', () => {
      const message = 'secrets "b" is forbidden: User "op" cannot patch resource "secrets" in API group ""';
      expect(refusal(secretCall, 403, status('Forbidden', message)).message).to.contain(message);
    });
  });

  const waits: [string | undefined, object, number | undefined][] = [
    ['3', {}, 3_000],
    [undefined, { retryAfterSeconds: 5 }, 5_000],
    ['86400', {}, 60_000],
    ['3', { retryAfterSeconds: 5 }, 3_000],
    ['0', {}, undefined],
    ['soon', {}, undefined],
    [undefined, {}, undefined],
  ];
  for (const [header, details, expected] of waits) {
    it(`waits ${expected} ms for Retry-After ${header} and ${JSON.stringify(details)}`, () => {
      expect(refusal(call, 429, status('TooManyRequests', '', details), header).retryAfter).to.equal(
        expected,
      );
    });
  }
});
