import { expect } from 'chai';
import { Redacted } from '../../../../src/common/redacted.ts';
import type { Connection, IssuedToken, Registry } from '../../../../src/registry/port.ts';
import { ECR, type EcrBlock } from '../../../../src/registry/ecr/ecr.ts';
import { RegistryError } from '../../../../src/registry/errors.ts';
import { aRequest } from '../../../conformance/support/stage.ts';
import { registerSecret } from '../../../support/secrecy.ts';
import { aToolbox } from '../../../support/toolbox.ts';
import { nock, useNock } from '../../../support/nocked.ts';

const { signal } = new AbortController();
const REGION = 'eu-central-1';
const STS = `https://sts.${REGION}.amazonaws.com`;
const API = `https://api.ecr.${REGION}.amazonaws.com`;
const ROLE = 'arn:aws:iam::123456789012:role/puller';
const ACCESS_KEY = 'AKIAIOSFODNN7EXAMPLE';
const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const SESSION_TOKEN = 'FwoGZXIvYXdzE-session-token-of-an-example==';
const SESSION_KEY = 'secret-key-of-a-session-1234567890';
const PASSWORD = 'eyJwYXlsb2FkIjoi-password-of-an-example';
for (const secret of [SECRET_KEY, SESSION_TOKEN, SESSION_KEY, PASSWORD]) registerSecret(secret);

const REQUEST_ID = 'b25f48e8-84fd-11e6-80d9-574e0c4664cb';
const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': REQUEST_ID };
const XML_TYPE = { 'content-type': 'text/xml', 'x-amzn-requestid': REQUEST_ID };
const problem = (type: string, message: string): object => ({ __type: type, message });
const xmlProblem = (code: string, message: string): string =>
  `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <Error>\n    <Type>Sender</Type>\n    <Code>${code}</Code>\n    <Message>${message}</Message>\n  </Error>\n  <RequestId>${REQUEST_ID}</RequestId>\n</ErrorResponse>\n`;
const inHours = (hours: number): number => Math.floor(Date.now() / 1000) + hours * 3600;

/** STS's answer with a session that ends in an hour. */
function session(action = 'AssumeRole', ends = inHours(1)): string {
  const expiration = new Date(ends * 1000).toISOString();
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/puller/x</Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>${SESSION_KEY}</SecretAccessKey><SessionToken>${SESSION_TOKEN}</SessionToken><Expiration>${expiration}</Expiration></Credentials></${action}Result><ResponseMetadata><RequestId>${REQUEST_ID}</RequestId></ResponseMetadata></${action}Response>`;
}
/** ECR's answer with a token that ends in twelve hours. */
function token(part: object = {}): object {
  const authorizationToken = Buffer.from(`AWS:${PASSWORD}`).toString('base64');
  registerSecret(authorizationToken);
  const proxyEndpoint = `https://210987654321.dkr.ecr.${REGION}.amazonaws.com`;
  return {
    authorizationData: [{ authorizationToken, expiresAt: inHours(12) + 0.123, proxyEndpoint, ...part }],
  };
}

interface Setting {
  block?: Partial<EcrBlock>;
  secret?: Record<string, string> | undefined;
  environment?: Record<string, string>;
}
const WITH_KEY = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };

describe('ECR, answer by answer', () => {
  useNock();

  function connection({ block: part, secret = WITH_KEY, environment = {} }: Setting = {}): Connection {
    const block = { registryId: '123456789012', roleArn: ROLE, ...part };
    const entries = Object.entries(secret).map(([key, value]) => [key, new Redacted(value)] as const);
    const data = entries.length === 0 ? undefined : new Map(entries);
    const read = ECR.readCredentials(data);
    if ('problem' in read) throw new Error(read.problem);
    return ECR.connect(
      { name: 'default', block, credentials: read.credentials },
      { ...aToolbox(), environment },
    );
  }
  function registry(setting: Setting = {}): Registry {
    const block = { registryId: '123456789012', ...setting.block };
    const place = ECR.places(block, []).resolve(block.public ? undefined : REGION);
    if (!place) throw new Error('ECR has a place');
    return connection(setting).registry(place);
  }
  const ask = (setting: Setting = {}, part: Parameters<typeof aRequest>[0] = {}): Promise<IssuedToken> =>
    registry(setting).issue(aRequest(part), signal);
  const failureOf = (promise: Promise<unknown>): Promise<RegistryError> =>
    promise.then(
      () => expect.fail('it succeeded'),
      (error: unknown) => error as RegistryError,
    );
  const OWN: Setting = { block: { roleArn: undefined, identityAccess: 'ReadOnly' } };

  it('sends what the token service is asked in the name of no region, since all share it and its clock', async () => {
    nock(STS).post('/').reply(200, session(), XML_TYPE);
    nock(API).post('/').reply(200, token(), JSON_TYPE);
    const tools = aToolbox();
    const regions: [host: string, region: string][] = [];
    const client: typeof tools.client = (place) => {
      regions.push([new URL(place.endpoint).host, place.region]);
      return tools.client(place);
    };
    const block = { registryId: '123456789012', roleArn: ROLE };
    const data = new Map(Object.entries(WITH_KEY).map(([key, value]) => [key, new Redacted(value)]));
    const read = ECR.readCredentials(data);
    const place = ECR.places(block, []).resolve(REGION);
    if ('problem' in read || !place) throw new Error('there are credentials and a place');
    const { credentials } = read;
    await ECR.connect({ name: 'default', block, credentials }, { ...tools, client })
      .registry(place)
      .issue(aRequest(), signal);
    expect(regions).to.deep.equal([
      [new URL(STS).host, ''],
      [new URL(API).host, REGION],
    ]);
  });

  it('assumes the role with a policy for exactly the access and the repositories', async () => {
    let form = new URLSearchParams();
    nock(STS, {
      reqheaders: { authorization: /^AWS4-HMAC-SHA256 Credential=AKIA\w+\/\d{8}\/eu-central-1\/sts\// },
    })
      .post('/', (body: string) => {
        form = new URLSearchParams(body);
        return true;
      })
      .reply(200, session(), XML_TYPE);
    nock(API, {
      reqheaders: {
        'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
        'x-amz-security-token': SESSION_TOKEN,
        authorization: /^AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE\/\d{8}\/eu-central-1\/ecr\//,
        'user-agent': 'test',
      },
    })
      .post('/', {})
      .reply(200, token(), JSON_TYPE);
    const block = { externalId: 'an-id', roleSessionDuration: '1h' };
    const issued = await ask({ block }, { scope: ['team/b', 'team/a', 'team/a'] });
    expect(issued).to.include({ username: 'AWS' });
    expect(issued.id).to.match(/^ecr-[0-9a-f]{20}$/);
    expect(issued.value.reveal()).to.equal(PASSWORD);
    expect(Object.fromEntries(form)).to.deep.include({
      Action: 'AssumeRole',
      RoleArn: ROLE,
      ExternalId: 'an-id',
      DurationSeconds: '3600',
      RoleSessionName: 'registry-token-operator@default',
    });
    const repository = `arn:aws:ecr:${REGION}:123456789012:repository/`;
    expect(JSON.parse(form.get('Policy') ?? '')).to.deep.equal({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: ['ecr:GetAuthorizationToken'], Resource: '*' },
        {
          Effect: 'Allow',
          Action: ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
          Resource: [`${repository}team/a`, `${repository}team/b`],
        },
      ],
    });
  });

  it('a token ends with its session, and without one when AWS says', async () => {
    const sessionEnd = inHours(1);
    nock(STS).post('/').reply(200, session('AssumeRole', sessionEnd), XML_TYPE);
    nock(API)
      .post('/')
      .twice()
      .reply(200, token({ expiresAt: 4_000_000_000 }), JSON_TYPE);
    expect(await ask()).to.include({ expiresAt: sessionEnd * 1000 });
    expect(await ask(OWN)).to.include({ expiresAt: 4_000_000_000_000 });
  });

  it('temporary keys of the Secret are sent with their session token', async () => {
    nock(API, { reqheaders: { 'x-amz-security-token': SESSION_TOKEN } })
      .post('/')
      .reply(200, token(), JSON_TYPE);
    await ask({ ...OWN, secret: { ...WITH_KEY, sessionToken: `${SESSION_TOKEN}\n` } });
  });

  it('public ECR answers with one object in place of a list', async () => {
    const { authorizationData } = token() as { authorizationData: object[] };
    nock('https://api.ecr-public.us-east-1.amazonaws.com', {
      reqheaders: {
        'x-amz-target': 'SpencerFrontendService.GetAuthorizationToken',
        authorization: /\/us-east-1\/ecr-public\/aws4_request/,
      },
    })
      .post('/')
      .reply(200, { authorizationData: authorizationData[0] }, JSON_TYPE);
    const issued = await ask({ block: { public: true, roleArn: undefined, identityAccess: 'ReadOnly' } });
    expect(issued.value.reveal()).to.equal(PASSWORD);
  });

  const refusals: [status: number, body: object | string, code: string, words: RegExp][] = [
    [
      400,
      problem(
        'AccessDeniedException',
        'User: arn:x is not authorized to perform: ecr:GetAuthorizationToken on resource: *',
      ),
      'Forbidden',
      /is not authorized to perform.*check the policies/,
    ],
    [
      400,
      problem('UnrecognizedClientException', 'The security token included in the request is invalid.'),
      'Unauthorized',
      /AWS does not know the access key/,
    ],
    [
      400,
      problem(
        'com.amazonaws.ecr#ExpiredTokenException',
        'The security token included in the request is expired',
      ),
      'Unauthorized',
      /renew sessionToken/,
    ],
    [
      400,
      problem('ExpiredTokenException:http://internal.amazon.com/', 'expired'),
      'Unauthorized',
      /ExpiredTokenException "expired"/,
    ],
    [
      400,
      problem('InvalidSignatureException', 'The request signature we calculated does not match'),
      'Unauthorized',
      /check accessKeyId and secretAccessKey/,
    ],
    [
      400,
      problem(
        'InvalidSignatureException',
        'Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z',
      ),
      'Unavailable',
      /Signature expired/,
    ],
    [
      400,
      problem('InvalidSignatureException', 'Signature not yet current: x is still later than y'),
      'Unavailable',
      /not yet current/,
    ],
    [
      400,
      problem('MissingAuthenticationTokenException', 'Missing Authentication Token'),
      'Unauthorized',
      /Missing/,
    ],
    [400, problem('IncompleteSignatureException', 'incomplete'), 'Unauthorized', /incomplete/],
    [
      400,
      problem('InvalidParameterException', 'Invalid parameter'),
      'InvalidRequest',
      /check the settings of the account/,
    ],
    [
      400,
      problem('UnsupportedCommandException', "The action isn't supported in this Region."),
      'InvalidRequest',
      /supported in this Region/,
    ],
    [400, problem('ThrottlingException', 'Rate exceeded'), 'RateLimited', /Rate exceeded/],
    [400, problem('RequestLimitExceeded', 'Request limit exceeded.'), 'RateLimited', /limit/],
    [400, problem('TooManyRequestsException', 'slow down'), 'RateLimited', /slow down/],
    [
      400,
      problem('OptInRequired', 'The AWS Access Key Id needs a subscription for the service'),
      'Forbidden',
      /subscription/,
    ],
    [400, '', 'InvalidRequest', /answered 400/],
    [403, problem('AccessDeniedException', 'explicit deny'), 'Forbidden', /explicit deny/],
    [403, { Message: 'User is not authorized to access this resource' }, 'Forbidden', /not authorized/],
    [403, '<html>blocked by a gateway</html>', 'Forbidden', /403/],
    [404, '<UnknownOperationException/>', 'Unavailable', /404/],
    [413, problem('RequestEntityTooLarge', ''), 'InvalidRequest', /413/],
    [429, {}, 'RateLimited', /429/],
    [
      500,
      problem('ServerException', 'These errors are usually caused by a server-side issue.'),
      'Unavailable',
      /server-side/,
    ],
    [500, problem('InternalFailure', ''), 'Unavailable', /InternalFailure/],
    [502, '<html>bad gateway</html>', 'Unavailable', /502/],
    [503, problem('ServiceUnavailableException', 'unavailable'), 'Unavailable', /unavailable/],
    [504, '', 'Unavailable', /504/],
    [200, {}, 'Unavailable', /holds none/],
    [200, { authorizationData: [] }, 'Unavailable', /holds none/],
    [200, token({ authorizationToken: 'bm9jb2xvbg==' }), 'Unavailable', /holds none/],
    [200, token({ expiresAt: undefined }), 'Unavailable', /holds none/],
    [200, token({ expiresAt: 1420070400 }), 'Unavailable', /has expired/],
    [200, '{"authorizationData":[{"authorizationToken":"QVdTOm', 'Unavailable', /is not JSON/],
    [200, '<html>sign in to the network</html>', 'Unavailable', /is HTML/],
  ];
  for (const [status, body, code, words] of refusals) {
    const shown =
      typeof body === 'string' ? body : JSON.stringify(body).replace(/"authorizationToken":"[^"]*"/, '…');
    it(`ECR answers ${status} ${shown.slice(0, 70)}: ${code}`, async () => {
      nock(API).post('/').reply(status, body, JSON_TYPE);
      const error = await failureOf(ask(OWN));
      expect(error).to.be.instanceOf(RegistryError).with.property('code', code);
      expect(error.message)
        .to.match(words)
        .and.match(/^could not get an authorization token/);
      if (status >= 400 && typeof body !== 'string' && Object.keys(body).length > 0)
        expect(error).to.have.property('requestId', REQUEST_ID);
      expect(Object.keys(error)).not.to.include('$metadata');
    });
  }

  const roleRefusals: [status: number, body: string, code: string, words: RegExp][] = [
    [
      403,
      xmlProblem(
        'AccessDenied',
        `User: arn:x is not authorized to perform: sts:AssumeRole on resource: ${ROLE}`,
      ),
      'Forbidden',
      /the trust policy of roleArn and externalId/,
    ],
    [
      403,
      xmlProblem('InvalidClientTokenId', 'The security token included in the request is invalid.'),
      'Unauthorized',
      /AWS does not know the access key/,
    ],
    [
      403,
      xmlProblem('SignatureDoesNotMatch', 'The request signature we calculated does not match'),
      'Unauthorized',
      /SignatureDoesNotMatch/,
    ],
    [
      403,
      xmlProblem('SignatureDoesNotMatch', 'Signature expired: it is too old'),
      'Unavailable',
      /Signature expired/,
    ],
    [
      403,
      xmlProblem('ExpiredToken', 'The security token included in the request is expired'),
      'Unauthorized',
      /renew sessionToken/,
    ],
    [403, xmlProblem('ExpiredTokenException', 'expired'), 'Unauthorized', /renew sessionToken/],
    [
      403,
      xmlProblem('MissingAuthenticationToken', 'Request is missing Authentication Token'),
      'Unauthorized',
      /Missing/,
    ],
    [
      403,
      xmlProblem('RegionDisabledException', 'STS is not activated in this region'),
      'Forbidden',
      /enable the region/,
    ],
    [
      400,
      xmlProblem(
        'ValidationError',
        'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      ),
      'InvalidRequest',
      /roleSessionDuration/,
    ],
    [
      400,
      xmlProblem('MalformedPolicyDocument', 'Syntax errors in policy.'),
      'InvalidRequest',
      /check spec\.scope/,
    ],
    [
      400,
      xmlProblem('PackedPolicyTooLarge', 'Packed size 120 % of the allowed size'),
      'InvalidRequest',
      /name fewer repositories/,
    ],
    [400, xmlProblem('Throttling', 'Rate exceeded &amp; more'), 'RateLimited', /Rate exceeded & more/],
    [400, xmlProblem('RequestExpired', 'Request has expired'), 'Unavailable', /RequestExpired/],
    [500, xmlProblem('InternalFailure', 'Internal failure'), 'Unavailable', /InternalFailure/],
    [503, xmlProblem('ServiceUnavailable', 'unavailable'), 'Unavailable', /ServiceUnavailable/],
    [200, session().slice(0, 500), 'Unavailable', /has no valid form|is HTML/],
    [
      200,
      '<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>',
      'Unavailable',
      /holds no credentials/,
    ],
    [200, '{}', 'Unavailable', /./],
  ];
  for (const [status, body, code, words] of roleRefusals) {
    const [, name = body.slice(0, 40)] = /<Code>([^<]*)/.exec(body) ?? [];
    const [, message = ''] = /<Message>([^<]{0,40})/.exec(body) ?? [];
    it(`STS answers ${status} ${name} ${message}: ${code}`, async () => {
      nock(STS).post('/').reply(status, body, XML_TYPE);
      const error = await failureOf(ask());
      expect(error).to.be.instanceOf(RegistryError).with.property('code', code);
      expect(error.message)
        .to.match(words)
        .and.match(/^could not assume role arn:aws:iam::123456789012:role\/puller/);
      if (status >= 400) expect(error).to.have.property('requestId', REQUEST_ID);
      expect(error.message).not.to.contain('2012-10-17');
    });
  }

  it('an answer that echoes what was signed is told without keys, session and policy', async () => {
    const echo = `The canonical string should have been ${SESSION_TOKEN} ${ACCESS_KEY} ${SECRET_KEY}`;
    let policy = '';
    nock(STS)
      .post('/', (form: Record<string, string>) => {
        policy = form['Policy'] ?? '';
        return true;
      })
      .reply(400, () => xmlProblem('ValidationError', `${echo} ${policy}`), XML_TYPE);
    const { message } = await failureOf(ask({ secret: { ...WITH_KEY, sessionToken: SESSION_TOKEN } }));
    expect(policy).to.contain('2012-10-17');
    expect(message).to.contain('[redacted]');
    for (const secret of [ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, '2012-10-17'])
      expect(message).not.to.contain(secret);
  });

  it('says of an identity whose it is, and of a role that it can be assumed', async () => {
    const answer =
      '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::210987654321:user/x</Arn><UserId>AIDA</UserId><Account>210987654321</Account></GetCallerIdentityResult></GetCallerIdentityResponse>';
    nock('https://sts.us-east-1.amazonaws.com')
      .post('/', /Action=GetCallerIdentity/)
      .reply(200, answer, XML_TYPE);
    expect(await connection(OWN).verify(signal)).to.deep.equal({ identity: '210987654321' });
    nock('https://sts.us-east-1.amazonaws.com')
      .post('/', /Action=AssumeRole.*DurationSeconds=900|DurationSeconds=900.*/)
      .reply(200, session(), XML_TYPE)
      .post('/')
      .reply(403, xmlProblem('AccessDenied', 'no'), XML_TYPE);
    expect(await connection().verify(signal)).to.deep.equal({ identity: '123456789012' });
    expect(await failureOf(connection().verify(signal))).to.have.property('code', 'Forbidden');
  });

  it('without a Secret and without an identity of the pod, says what to do and asks nobody', async () => {
    const error = await failureOf(ask({ ...OWN, secret: {} }));
    expect(error).to.have.property('code', 'Unauthorized');
    expect(error.message).to.match(/set credentialsSecretRef, or give the operator's ServiceAccount a role/);
  });
});
