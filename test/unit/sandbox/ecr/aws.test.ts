import { createHash, createHmac } from 'node:crypto';
import { expect } from 'chai';
import { Ecr } from '../../../../sandbox/registries/ecr/ecr.ts';
import type { Statement } from '../../../../sandbox/registries/ecr/policy.ts';
import { isSignedWith, signatureOf } from '../../../../sandbox/registries/ecr/signature.ts';
import type { Answer, Request } from '../../../../sandbox/registries/shared/message.ts';
import { registerSecret } from '../../../support/secrecy.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const ACCESS_KEY = 'AKIDEXAMPLE';
const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
registerSecret(SECRET_KEY);
const ROLE = 'arn:aws:iam::123456789012:role/puller';
const USER = 'arn:aws:iam::123456789012:user/operator';
const ALL: Statement = { effect: 'Allow', actions: ['*'], resources: ['*'] };
const HOUR = 3_600_000;

/** Keys to sign with. */
interface Keys {
  id: string;
  secret: string;
  token?: string;
}
const OPERATOR: Keys = { id: ACCESS_KEY, secret: SECRET_KEY };

/** A request signed by a second implementation of the algorithm, for one fixed set of headers. */
function signed(
  now: number,
  service: string,
  body: string,
  keys: Keys,
  headers: Record<string, string> = {},
): Request {
  const date = new Date(now).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const all: Record<string, string> = {
    host: 'aws.test',
    'x-amz-date': date,
    ...(keys.token !== undefined && { 'x-amz-security-token': keys.token }),
    ...headers,
  };
  const names = Object.keys(all).sort();
  const sha = (text: string): string => createHash('sha256').update(text).digest('hex');
  const mac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const canonical = `POST\n/\n\n${names.map((name) => `${name}:${all[name]}\n`).join('')}\n${names.join(';')}\n${sha(body)}`;
  const scope = `${date.slice(0, 8)}/eu-central-1/${service}/aws4_request`;
  const day = mac(`AWS4${keys.secret}`, date.slice(0, 8));
  const key = mac(mac(mac(day, 'eu-central-1'), service), 'aws4_request');
  const signature = mac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha(canonical)}`).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${keys.id}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { method: 'POST', path: '/', headers: { ...all, authorization }, body };
}

describe('the fake of AWS: Signature Version 4', () => {
  it("accepts the example of AWS's documentation", () => {
    // AWS Signature Version 4 test suite, get-vanilla-query-order-key-case.
    const request: Request = {
      method: 'GET',
      path: '/?Param2=value2&Param1=value1',
      headers: {
        host: 'example.amazonaws.com',
        'x-amz-date': '20150830T123600Z',
        authorization:
          'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
      },
      body: '',
    };
    const signature = signatureOf(request);
    if (!signature) return expect.fail('there is a signature');
    expect(signature).to.include({ accessKeyId: 'AKIDEXAMPLE', region: 'us-east-1', service: 'service' });
    expect(isSignedWith(SECRET_KEY, request, signature)).to.equal(true);
    expect(isSignedWith(`${SECRET_KEY}x`, request, signature)).to.equal(false);
    expect(isSignedWith(SECRET_KEY, { ...request, path: '/?Param1=value1' }, signature)).to.equal(false);
  });
});

describe('the fake of AWS', () => {
  let clock: VirtualClock;
  let fake: Ecr;

  beforeEach(() => {
    clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'));
    fake = new Ecr({
      clock,
      registryId: '123456789012',
      region: 'eu-central-1',
      host: 'registry.test',
      users: [{ arn: USER, accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY, permissions: [ALL] }],
      roles: [
        {
          arn: ROLE,
          trusts: [USER, ROLE],
          externalId: 'an-id',
          maxSessionDuration: 12 * HOUR,
          permissions: [ALL],
        },
      ],
    });
  });
  const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString();
  const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
  const sts = (fields: Record<string, string>, keys = OPERATOR, now = clock.now()): Promise<Answer> =>
    fake.handle(signed(now, 'sts', form(fields), keys, FORM));
  const assume = (fields: Record<string, string> = {}, keys = OPERATOR): Promise<Answer> =>
    sts({ Action: 'AssumeRole', RoleArn: ROLE, RoleSessionName: 'me', ExternalId: 'an-id', ...fields }, keys);
  const mint = (keys: Keys, edit: (request: Request) => Request = (each) => each): Promise<Answer> =>
    fake.handle(
      edit(
        signed(clock.now(), 'ecr', '{}', keys, {
          'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
        }),
      ),
    );
  const codeOf = ({ body }: Answer): string | undefined =>
    (/<Code>(\w+)/.exec(body) ?? /"__type":"(\w+)/.exec(body))?.[1];
  const keysOf = ({ body }: Answer): Keys => {
    const part = (name: string): string => new RegExp(`<${name}>([^<]+)`).exec(body)?.[1] ?? '';
    return { id: part('AccessKeyId'), secret: part('SecretAccessKey'), token: part('SessionToken') };
  };

  it('says who calls', async () => {
    const { status, body } = await sts({ Action: 'GetCallerIdentity' });
    expect(status).to.equal(200);
    expect(body).to.contain(`<Arn>${USER}</Arn>`).and.to.contain('<Account>123456789012</Account>');
  });

  const forgeries: [why: string, edit: (request: Request) => Request, code: string][] = [
    [
      'has no signature',
      (request) => ({ ...request, headers: { ...request.headers, authorization: undefined } }),
      'MissingAuthenticationTokenException',
    ],
    [
      'has another body',
      (request) => ({ ...request, body: '{"registryIds":[]}' }),
      'InvalidSignatureException',
    ],
    [
      'has another host',
      (request) => ({ ...request, headers: { ...request.headers, host: 'other.test' } }),
      'InvalidSignatureException',
    ],
    [
      'has a session token that was not given',
      (request) => ({ ...request, headers: { ...request.headers, 'x-amz-security-token': 'x' } }),
      'UnrecognizedClientException',
    ],
  ];
  for (const [why, edit, code] of forgeries) {
    it(`refuses a request that ${why}`, async () => {
      const answer = await mint(OPERATOR, edit);
      expect([answer.status, codeOf(answer)]).to.deep.equal([400, code]);
    });
  }

  it('refuses keys that it does not know, and secrets that are wrong', async () => {
    expect(codeOf(await mint({ ...OPERATOR, id: 'AKIAOTHER' }))).to.equal('UnrecognizedClientException');
    expect(codeOf(await mint({ ...OPERATOR, secret: 'another-secret' }))).to.equal(
      'InvalidSignatureException',
    );
    expect(codeOf(await sts({ Action: 'GetCallerIdentity' }, { ...OPERATOR, id: 'AKIAOTHER' }))).to.equal(
      'InvalidClientTokenId',
    );
  });

  it('refuses signatures that are older than a quarter of an hour, or as far in the future', async () => {
    for (const minutes of [-16, 16]) {
      const answer = await sts({ Action: 'GetCallerIdentity' }, OPERATOR, clock.now() + minutes * 60_000);
      expect(codeOf(answer)).to.equal('SignatureDoesNotMatch');
      expect(answer.body).to.contain('Signature expired');
    }
    expect((await sts({ Action: 'GetCallerIdentity' }, OPERATOR, clock.now() - 14 * 60_000)).status).to.equal(
      200,
    );
  });

  it('refuses a signature for another service', async () => {
    const request = signed(clock.now(), 'ecr', form({ Action: 'GetCallerIdentity' }), OPERATOR, FORM);
    expect(codeOf(await fake.handle(request))).to.equal('SignatureDoesNotMatch');
  });

  const refusals: [why: string, fields: Record<string, string>, status: number, code: string][] = [
    ['another external id', { ExternalId: 'other' }, 403, 'AccessDenied'],
    ['a role that is not there', { RoleArn: `${ROLE}s` }, 403, 'AccessDenied'],
    ['more than the longest session', { DurationSeconds: '43201' }, 400, 'ValidationError'],
    ['less than the shortest session', { DurationSeconds: '899' }, 400, 'ValidationError'],
    ['a policy that is too long', { Policy: ' '.repeat(2049) }, 400, 'ValidationError'],
    ['a policy that is none', { Policy: '{}' }, 400, 'MalformedPolicyDocument'],
    ['a name that can be none', { RoleSessionName: 'a b' }, 400, 'ValidationError'],
  ];
  for (const [why, fields, status, code] of refusals) {
    it(`assumes no role for ${why}`, async () => {
      const answer = await assume(fields);
      expect([answer.status, codeOf(answer)]).to.deep.equal([status, code]);
    });
  }

  it('gives an hour at most to who has assumed a role already', async () => {
    const keys = keysOf(await assume({ DurationSeconds: '43200' }));
    expect(codeOf(await assume({ DurationSeconds: '3601' }, keys))).to.equal('ValidationError');
    expect((await assume({ DurationSeconds: '3600' }, keys)).status).to.equal(200);
  });

  it('ends a session, and the token that was got with it, when it said', async () => {
    const keys = keysOf(await assume({ DurationSeconds: '900' }));
    await clock.advance(899_000);
    const answer = await mint(keys);
    const { authorizationData } = JSON.parse(answer.body) as {
      authorizationData: { authorizationToken: string }[];
    };
    const basic = `Basic ${authorizationData[0]?.authorizationToken}`;
    const enter = (): Promise<Answer> =>
      fake.handle({
        method: 'GET',
        path: '/v2/',
        headers: { authorization: basic, host: 'registry.test' },
        body: '',
      });
    expect((await enter()).status).to.equal(200);
    await clock.advance(1_000);
    expect((await enter()).status).to.equal(403);
    expect(codeOf(await mint(keys))).to.equal('ExpiredTokenException');
  });

  it('calls what is none of its tokens a bad request, as ECR does', async () => {
    const authorization = `Basic ${Buffer.from('AWS:none of its tokens').toString('base64')}`;
    const headers = { authorization, host: 'registry.test' };
    expect(await fake.handle({ method: 'GET', path: '/v2/', headers, body: '' })).to.include({ status: 400 });
  });

  it('challenges as ECR does', async () => {
    const { status, headers } = await fake.handle({
      method: 'GET',
      path: '/v2/',
      headers: { host: 'registry.test' },
      body: '',
    });
    expect(status).to.equal(401);
    expect(headers['www-authenticate']).to.equal(
      'Basic realm="https://123456789012.dkr.ecr.eu-central-1.amazonaws.com/",service="ecr.amazonaws.com"',
    );
  });
});
