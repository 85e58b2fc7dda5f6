import { expect } from 'chai';
import { AWS_DIALECT, readProblem } from '../../../../src/registry/ecr/dialect.ts';
import type { RegistryErrorCode } from '../../../../src/registry/errors.ts';
import { readAnswer, type HttpAnswer } from '../../../../src/registry/http/answer.ts';

const answer = (body: string, headers: Record<string, string> = {}): HttpAnswer =>
  readAnswer({ status: 400, headers, body: Buffer.from(body), rows: { count: 0, kept: [] } }, 0);
const read = (body: string, headers?: Record<string, string>): ReturnType<typeof readProblem> => {
  const given = answer(body, headers);
  return readProblem(given.json, given);
};

describe('what AWS says went wrong', () => {
  const codes: Readonly<Partial<Record<RegistryErrorCode, string>>> = {
    Unauthorized:
      'ExpiredToken IDPRejectedClaim IncompleteSignature InvalidClientTokenId InvalidIdentityToken InvalidSignature MissingAuthenticationToken SignatureDoesNotMatch UnrecognizedClient',
    Forbidden: 'AccessDenied NotAuthorized OptInRequired RegionDisabled',
    RateLimited: 'LimitExceeded RequestLimitExceeded Throttled Throttling TooManyRequests',
    Unavailable:
      'IDPCommunicationError InternalFailure RequestExpired RequestTimeTooSkewed Server ServiceUnavailable',
  };
  for (const [code, names] of Object.entries(codes)) {
    it(`is ${code} for ${names}, with Exception or without`, () => {
      for (const name of names.split(' ')) {
        for (const form of [name, `${name}Exception`]) {
          const problem = { code: form, message: undefined, requestId: undefined };
          expect(AWS_DIALECT.classify?.(400, problem), form).to.equal(code);
        }
      }
    });
  }

  it('is what the status says for any other name, those of JavaScript included', () => {
    for (const code of ['InvalidParameter', 'toString', 'constructor', undefined])
      expect(AWS_DIALECT.classify?.(400, { code, message: '', requestId: undefined })).to.equal(undefined);
    expect(AWS_DIALECT.classify?.(400, undefined)).to.equal(undefined);
  });

  it('comes with what to do, with Exception or without', () => {
    const names =
      'ExpiredToken InvalidClientTokenId UnrecognizedClient InvalidIdentityToken RegionDisabled MalformedPolicyDocument PackedPolicyTooLarge ValidationError';
    for (const name of names.split(' ')) {
      for (const form of [name, `${name}Exception`])
        expect(AWS_DIALECT.adviceByProblem?.[form], form).to.be.a('string').that.is.not.empty;
    }
  });

  it('is read from JSON, whose type can have a namespace and a URL', () => {
    const headers = { 'x-amzn-requestid': 'id-1' };
    for (const type of ['SomeException', 'com.amazonaws.ecr#SomeException', 'SomeException:http://internal/'])
      expect(read(JSON.stringify({ __type: type, message: 'no' }), headers)).to.deep.equal({
        code: 'SomeException',
        message: 'no',
        requestId: 'id-1',
      });
    expect(read('{"code":"Other","Message":"No"}')).to.deep.equal({
      code: 'Other',
      message: 'No',
      requestId: undefined,
    });
  });

  it('is read from a header where the body does not name it', () => {
    expect(read('{}', { 'x-amzn-errortype': 'SomeException:http://internal/' })).to.include({
      code: 'SomeException',
    });
  });

  it('is read from XML, with its entities', () => {
    const body =
      '<ErrorResponse><Error><Type>Sender</Type><Code>Some</Code><Message>&lt;a&gt; &amp; &quot;b&quot; &apos;c&apos; &other;</Message></Error><RequestId>id-2</RequestId></ErrorResponse>';
    expect(read(body)).to.deep.equal({
      code: 'Some',
      message: `<a> & "b" 'c' &other;`,
      requestId: 'id-2',
    });
  });

  it('is nothing in what is none of its errors', () => {
    for (const body of ['', '{}', '[]', 'null', '<html>bad gateway</html>', 'text'])
      expect(read(body)).to.equal(undefined);
  });
});
