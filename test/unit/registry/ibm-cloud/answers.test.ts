import { expect } from 'chai';
import { Redacted } from '../../../../src/common/redacted.ts';
import type { ListedToken, Registry } from '../../../../src/registry/port.ts';
import { RegistryError } from '../../../../src/registry/errors.ts';
import { IBM_CLOUD } from '../../../../src/registry/ibm-cloud/ibm-cloud.ts';
import { aRequest } from '../../../conformance/support/stage.ts';
import { registerSecret } from '../../../support/secrecy.ts';
import { aToolbox } from '../../../support/toolbox.ts';
import { nock, useNock } from '../../../support/nocked.ts';
import { anExchange, IAM } from '../support/registry-world.ts';

const API_KEY = 'operators-own-api-key-answer-by-answer';
const VALUE = 'value-of-an-api-key-that-IAM-made-up';
for (const secret of [API_KEY, VALUE]) registerSecret(secret);
const { signal } = new AbortController();

type Body = object | string;
/** As the APIs of identities and policies word errors. */
const problem = (code: string, message: string, more: object = {}): Body => ({
  trace: 'trace-1',
  errors: [{ code, message, ...more }],
});
const identityProblem = (code: string, messageCode: string, message: string): Body =>
  problem(code, message, { message_code: messageCode, details: 'more of it' });
/** As the token endpoint does. */
const loginProblem = (errorCode: string, errorMessage: string): Body => ({
  errorCode,
  errorMessage,
  context: { requestId: 'request-1' },
});
const GATEWAY = '<html>iam-gateway</html>';
const NOT_FOUND = identityProblem('not_found', 'BXNIM0102E', 'Unable to find object');
const FORBIDDEN = identityProblem('forbidden', 'BXNIM0513E', 'You are not authorized to use this API.');
const INVALID_TOKEN = problem('invalid_token', 'The provided IAM token is invalid or expired.');
const LOCKED = problem('conflict', 'The object is locked.');
const CONFLICT = problem('policy_conflict_error', 'The policy was not created.', {
  details: { conflicts_with: { etag: '1-0', role: 'Reader', policy: { id: 'p' } } },
});

const SERVICE_ID = {
  id: 'ServiceId-1',
  iam_id: 'iam-ServiceId-1',
  name: 'n',
  created_at: '2026-01-01T00:00+0000',
};
const KEY = { id: 'ApiKey-1', iam_id: 'iam-ServiceId-1', expires_at: '2026-01-02T00:00+0000', apikey: VALUE };
const GROUPS = { serviceid_groups: [{ id: 'group-1', name: 'registry-token-operator' }] };

/** The requests of a first issue, in their order, each with an answer that lets it go on. */
const STEPS = {
  login: ['POST', '/identity/token', 200, anExchange()],
  groups: ['GET', '/v1/serviceid_groups', 200, { serviceid_groups: [] }],
  'new group': ['POST', '/v1/serviceid_groups', 201, GROUPS.serviceid_groups[0]],
  'service IDs': ['GET', '/v1/serviceids', 200, { serviceids: [] }],
  'new service ID': ['POST', '/v1/serviceids', 201, SERVICE_ID],
  policies: ['GET', '/v1/policies', 200, { policies: [] }],
  'new policy': ['POST', '/v1/policies', 201, { id: 'p', roles: [], resources: [] }],
  'new key': ['POST', '/v1/apikeys', 201, KEY],
} satisfies Record<string, [method: string, path: string, status: number, body: Body | undefined]>;
type Step = keyof typeof STEPS;
const ORDER = Object.keys(STEPS) as Step[];

function answer(
  step: Step,
  status: number = STEPS[step][2],
  body: Body | undefined = STEPS[step][3],
): nock.Scope {
  const [method, path] = STEPS[step];
  return nock(IAM)
    .intercept((uri) => uri.split('?')[0] === path, method)
    .reply(status, body)
    .persist();
}

/** All goes well up to a request. */
function goUntil(last: Step): void {
  for (const step of ORDER.slice(0, ORDER.indexOf(last))) answer(step);
}

describe('IBM Cloud, answer by answer', () => {
  useNock();

  let registry: Registry;
  beforeEach(() => {
    const place = IBM_CLOUD.places({}, []).resolve(undefined);
    if (!place) throw new Error('IBM Cloud has a default region');
    const credentials = { apiKey: new Redacted(API_KEY) };
    registry = IBM_CLOUD.connect({ name: 'default', block: {}, credentials }, aToolbox()).registry(place);
  });
  const failureOf = (promise: Promise<unknown> | undefined): Promise<RegistryError> =>
    (promise ?? Promise.resolve()).then(
      () => expect.fail('it succeeded'),
      (error: unknown) => error as RegistryError,
    );

  it('a first issue that meets nothing odd gives a key', async () => {
    for (const step of ORDER) answer(step);
    const issued = await registry.issue(aRequest(), signal);
    expect(issued).to.include({
      id: 'ApiKey-1',
      username: 'iamapikey',
      expiresAt: Date.parse('2026-01-02T00:00Z'),
    });
    expect(issued.value.reveal()).to.equal(VALUE);
  });

  const refusals: [step: Step, status: number, body: Body, code: string, words: RegExp][] = [
    [
      'login',
      400,
      loginProblem('BXNIM0415E', 'Provided API key could not be found.'),
      'Unauthorized',
      /correct the credentials Secret/,
    ],
    ['login', 400, loginProblem('BXNIM0407E', 'Invalid token'), 'Unauthorized', /BXNIM0407E/],
    [
      'login',
      400,
      loginProblem('BXNIM0408E', 'Provided refresh token is expired'),
      'Unauthorized',
      /BXNIM0408E/,
    ],
    ['login', 400, loginProblem('BXNIM0109E', 'Property missing or empty.'), 'InvalidRequest', /BXNIM0109E/],
    ['login', 429, '', 'RateLimited', /429/],
    ['login', 503, '', 'Unavailable', /503/],
    ['login', 404, GATEWAY, 'Unavailable', /404/],
    ['groups', 401, INVALID_TOKEN, 'Unauthorized', /invalid_token/],
    ['groups', 403, FORBIDDEN, 'Forbidden', /Operator on the IAM Identity service/],
    ['groups', 404, NOT_FOUND, 'InvalidRequest', /check the endpoints/],
    ['groups', 404, GATEWAY, 'Unavailable', /404/],
    ['groups', 429, problem('too_many_requests', 'Too many requests.'), 'RateLimited', /too_many_requests/],
    ['groups', 200, { groups: [] }, 'Unavailable', /is not what IAM answers to this/],
    ['new group', 403, FORBIDDEN, 'Forbidden', /BXNIM0513E/],
    ['new group', 409, problem('conflict', 'exists'), 'Unavailable', /does not show it yet; will retry/],
    [
      'service IDs',
      200,
      { serviceids: [], next: 'https://iam.cloud.ibm.com/v1/serviceids' },
      'Unavailable',
      /is not what IAM answers/,
    ],
    [
      'new service ID',
      400,
      identityProblem('required', 'BXNIM0109E', 'Property missing'),
      'InvalidRequest',
      /BXNIM0109E/,
    ],
    [
      'new service ID',
      400,
      identityProblem('invalid', 'BXNIM0106E', 'Property invalid'),
      'InvalidRequest',
      /BXNIM0106E/,
    ],
    ['new service ID', 403, FORBIDDEN, 'Forbidden', /BXNIM0513E/],
    ['new service ID', 404, NOT_FOUND, 'InvalidRequest', /BXNIM0102E/],
    [
      'new service ID',
      422,
      identityProblem('limit_reached', 'BXNIM0150E', 'The limit of supported service IDs is reached'),
      'QuotaExceeded',
      /BXNIM0150E/,
    ],
    [
      'new service ID',
      422,
      identityProblem('invalid_state', 'BXNIM0908E', 'The account is not active'),
      'InvalidRequest',
      /BXNIM0908E/,
    ],
    ['new service ID', 500, '', 'Ambiguous', /500/],
    ['new service ID', 201, { id: 'ServiceId-1' }, 'Ambiguous', /is not what IAM answers/],
    [
      'policies',
      403,
      problem('insufficent_permissions', 'You are not allowed.'),
      'Forbidden',
      /Administrator on the container registry/,
    ],
    ['policies', 200, { policies: [], next: { href: 'x' } }, 'Unavailable', /is not what IAM answers/],
    [
      'new policy',
      400,
      problem('invalid_body', 'The policy is not valid.'),
      'InvalidRequest',
      /invalid_body/,
    ],
    ['new policy', 401, INVALID_TOKEN, 'Unauthorized', /invalid_token/],
    [
      'new policy',
      403,
      problem('insufficent_permissions', 'You are not allowed.'),
      'Forbidden',
      /insufficent_permissions/,
    ],
    ['new policy', 404, problem('policy_not_found', 'no such subject'), 'InvalidRequest', /policy_not_found/],
    [
      'new policy',
      422,
      problem('unable_to_process', 'Exceeded maximum policies quota error'),
      'QuotaExceeded',
      /quota/,
    ],
    [
      'new policy',
      429,
      problem('too_many_requests', 'Too many requests.'),
      'RateLimited',
      /Too many requests/,
    ],
    ['new policy', 500, problem('request_not_processed', 'Try again.'), 'Ambiguous', /request_not_processed/],
    [
      'new key',
      400,
      identityProblem('invalid', 'BXNIM0106E', 'Property invalid'),
      'InvalidRequest',
      /BXNIM0106E/,
    ],
    ['new key', 403, FORBIDDEN, 'Forbidden', /BXNIM0513E/],
    ['new key', 404, NOT_FOUND, 'Unavailable', /may not know the service ID yet/],
    ['new key', 409, LOCKED, 'Conflict', /locked/],
    [
      'new key',
      422,
      identityProblem('limit_reached', 'BXNIM0151E', 'The limit of supported API keys is reached'),
      'QuotaExceeded',
      /BXNIM0151E/,
    ],
    ['new key', 500, '', 'Ambiguous', /find out whether it happened/],
    ['new key', 201, { ...KEY, apikey: '' }, 'Ambiguous', /is not what IAM answers/],
  ];
  for (const [failing, status, body, code, words] of refusals) {
    const named = /BXNIM\w+|[a-z]+_[a-z_]+/.exec(JSON.stringify(body))?.[0] ?? 'a page or nothing';
    it(`${failing}: ${status} with ${named} is ${code}`, async () => {
      goUntil(failing);
      answer(failing, status, body);
      const error = await failureOf(registry.issue(aRequest(), signal));
      expect(error, String(error)).to.be.instanceOf(RegistryError).with.property('code', code);
      expect(error.message).to.match(words);
      for (const secret of [API_KEY, VALUE]) expect(error.message).not.to.contain(secret);
    });
  }

  it('a pause that IAM asks for is told', async () => {
    answer('login');
    nock(IAM)
      .get(/serviceid_groups/)
      .reply(429, '', { 'Retry-After': '30' });
    expect(await failureOf(registry.issue(aRequest(), signal))).to.include({ retryAfter: 30_000 });
  });

  it('a policy that exists already is as good as a new one', async () => {
    for (const step of ORDER.filter((each) => each !== 'new policy')) answer(step);
    answer('new policy', 409, CONFLICT);
    expect((await registry.issue(aRequest(), signal)).id).to.equal('ApiKey-1');
  });

  it('a group that another process made a moment ago is used once it is listed', async () => {
    for (const step of ORDER.filter((each) => each !== 'groups' && each !== 'new group')) answer(step);
    nock(IAM)
      .get(/serviceid_groups/)
      .reply(200, { serviceid_groups: [] })
      .get(/serviceid_groups/)
      .reply(200, GROUPS);
    answer('new group', 409, problem('conflict', 'exists'));
    expect((await registry.issue(aRequest(), signal)).id).to.equal('ApiKey-1');
  });

  it('pages go on where the token of `next` says, wherever its URL leads', async () => {
    answer('login');
    answer('groups', 200, GROUPS);
    const description = '[pullsecrets.dev:cluster-1:uid-1:spec-0123456789abcdef]';
    nock(IAM)
      .get('/v1/serviceids')
      .query(({ pagetoken }) => pagetoken === undefined)
      .reply(200, { serviceids: [], next: 'https://elsewhere.example/v1/serviceids?pagetoken=second' })
      .get('/v1/serviceids')
      .query(({ pagetoken }) => pagetoken === 'second')
      .reply(200, { serviceids: [{ ...SERVICE_ID, description }] });
    nock(IAM)
      .get('/v1/apikeys')
      .query(true)
      .reply(200, { apikeys: [{ ...KEY, disabled: true }] });
    const rows = (await registry.list?.([], (row) => row, signal)) ?? [];
    expect(rows.map(({ id, revoked }) => [id, revoked])).to.deep.equal([
      ['ServiceId-1', false],
      ['ApiKey-1', true],
    ]);
  });

  const deletions: [status: number, body: Body, outcome: boolean | string][] = [
    [204, '', true],
    [404, NOT_FOUND, false],
    [403, FORBIDDEN, 'Forbidden'],
    [409, LOCKED, 'Conflict'],
    [429, '', 'RateLimited'],
    [500, '', 'Unavailable'],
    [404, GATEWAY, 'Unavailable'],
    [404, 'no such route', 'NotFound'],
  ];
  for (const [status, body, outcome] of deletions)
    it(`a deletion answered with ${status} ${JSON.stringify(body).slice(0, 20)} is ${outcome}`, async () => {
      answer('login');
      nock(IAM).delete('/v1/apikeys/ApiKey-1').reply(status, body);
      const revoked = registry.revoke?.('ApiKey-1', signal);
      if (typeof outcome === 'boolean') expect(await revoked).to.equal(outcome);
      else expect(await failureOf(revoked)).to.have.property('code', outcome);
    });

  const reads: [status: number, body: Body, outcome: Partial<ListedToken> | undefined | string][] = [
    [
      200,
      { ...KEY, description: 'a tag', apikey: '' },
      { id: 'ApiKey-1', description: 'a tag', revoked: false },
    ],
    [200, { ...KEY, disabled: true }, { revoked: true }],
    [404, NOT_FOUND, undefined],
    [403, FORBIDDEN, 'Forbidden'],
    [404, GATEWAY, 'Unavailable'],
  ];
  for (const [status, body, outcome] of reads)
    it(`a key that is read and answered with ${status} is ${JSON.stringify(outcome)}`, async () => {
      answer('login');
      nock(IAM).get('/v1/apikeys/ApiKey-1').reply(status, body);
      const found = registry.lookUp?.('ApiKey-1', signal);
      if (typeof outcome === 'string') expect(await failureOf(found)).to.have.property('code', outcome);
      else if (outcome) expect(await found).to.include(outcome);
      else expect(await found).to.equal(undefined);
    });
});
