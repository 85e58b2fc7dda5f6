import { expect } from 'chai';
import { Redacted } from '../../../src/common/redacted.ts';
import type { Verdict } from '../../../src/common/verdict.ts';
import { providerOf } from '../../../src/registry/backends.ts';
import type { Access } from '../../../src/registry/port.ts';
import type { Attempt, LoginProbe } from '../../../src/registry/login-probe/login-probe.ts';
import { registerSecret } from '../../support/secrecy.ts';
import { settle, type VirtualClock } from '../../support/virtual-clock.ts';
import { aJwt } from './support/jwt.ts';
import { nock, useNock } from '../../support/nocked.ts';
import {
  aDirectory,
  anAccount,
  errorOf,
  NEVER,
  REGISTRY,
  type Observation,
} from './support/registry-world.ts';

const VALUE = 'a-token-that-nobody-may-see';
const BEARER = 'a-bearer-that-nobody-may-see';
const REALM = `${REGISTRY}/oauth/token`;
const IBM_CHALLENGE = `Bearer realm=${REALM}, service=registry`;
const HTML = { 'Content-Type': 'text/html' };
const authorization = `Basic ${Buffer.from(`token:${VALUE}`).toString('base64')}`;
for (const secret of [VALUE, BEARER, authorization]) registerSecret(secret);

type Answer = [status: number, body?: object | string, headers?: Record<string, string>];
const OPEN: Answer = [200, {}];
const GRANT: Answer = [200, { token: BEARER }];

/** A registry that asks for a bearer token; without an answer the request must not come. */
function aRegistry(part: { challenge?: string; grant?: Answer; entry?: Answer; origin?: string }): void {
  const { challenge = IBM_CHALLENGE, grant, entry, origin = REGISTRY } = part;
  nock(origin).get('/v2/').reply(401, { errors: [] }, { 'WWW-Authenticate': challenge });
  const query = { account: 'token', service: 'registry' };
  if (grant) {
    nock(origin, { reqheaders: { authorization } })
      .get('/oauth/token')
      .query(query)
      .reply(...grant);
  }
  if (entry) {
    nock(origin, { reqheaders: { authorization: `Bearer ${BEARER}` } })
      .get('/v2/')
      .reply(...entry);
  }
}

describe('trying a credential at a registry', () => {
  useNock();

  let clock: VirtualClock;
  let observed: Observation[];
  let probe: LoginProbe;
  beforeEach(() => {
    const world = aDirectory();
    ({ clock, observed } = world);
    probe = world.directory.loginProbe(anAccount(), 'us-south');
  });

  const A_LOGIN: Attempt = {
    username: 'token',
    password: new Redacted(VALUE),
    access: 'ReadOnly',
    scope: [],
  };
  const attempt = (at = probe): Promise<Verdict> => at.try(A_LOGIN, NEVER);

  it('is tried as docker login does, and accepts', async () => {
    aRegistry({ grant: GRANT, entry: OPEN });
    expect(await attempt()).to.deep.equal({ answer: 'accepted' });
    expect(observed.map(({ operation, code }) => [operation, code])).to.deep.equal([
      ['verify', 401],
      ['verify', 200],
      ['verify', 200],
    ]);
  });

  it('takes a bearer token by the name that OAuth 2 has for it', async () => {
    aRegistry({ grant: [200, { access_token: BEARER }], entry: OPEN });
    expect(await attempt()).to.deep.equal({ answer: 'accepted' });
  });

  it('keeps the query of the token endpoint', async () => {
    nock(REGISTRY)
      .get('/v2/')
      .reply(401, '', { 'WWW-Authenticate': `Bearer realm="${REALM}?tenant=a",service="s"` });
    nock(REGISTRY).get('/oauth/token').query({ tenant: 'a', account: 'token', service: 's' }).reply(401);
    expect(await attempt()).to.include({ answer: 'refused' });
  });

  const refusals: [what: string, registry: Parameters<typeof aRegistry>[0], message: RegExp][] = [
    ['401 from the token endpoint', { grant: [401, { errors: [] }] }, /token endpoint us\.icr\.io .*401/],
    ["400, IBM's word for a wrong pair", { grant: [400, 'Bad Request'] }, /400/],
    [
      'a bearer token that the registry does not take',
      { grant: GRANT, entry: [401, {}] },
      /401 to the bearer token/,
    ],
  ];
  for (const [what, registry, message] of refusals) {
    it(`refuses: ${what}`, async () => {
      aRegistry(registry);
      const verdict = await attempt();
      expect(verdict).to.include({ answer: 'refused' });
      expect('message' in verdict && verdict.message).to.match(message);
    });
  }

  const doubts: [what: string, prepare: () => void, message: RegExp][] = [
    [
      'it opens without a credential',
      () => void nock(REGISTRY).get('/v2/').reply(200, {}),
      /does not ask for a credential/,
    ],
    ['it has no /v2/', () => void nock(REGISTRY).get('/v2/').reply(404), /404 instead of a challenge/],
    ['it answers HTML', () => void nock(REGISTRY).get('/v2/').reply(200, '<html>', HTML), /in HTML/],
    ['it limits the rate', () => void nock(REGISTRY).get('/v2/').reply(429), /429/],
    ['it is in trouble', () => void nock(REGISTRY).get('/v2/').reply(503), /503/],
    [
      'it redirects',
      () => void nock(REGISTRY).get('/v2/').reply(302, '', { Location: 'https://evil.test/' }),
      /302/,
    ],
    [
      'it can not be reached',
      () => void nock(REGISTRY).get('/v2/').replyWithError('no route'),
      /us\.icr\.io could not/,
    ],
    [
      'its 401 has no challenge',
      () => void nock(REGISTRY).get('/v2/').reply(401),
      /sends no Bearer or Basic challenge/,
    ],
    [
      'it asks for something else',
      () => aRegistry({ challenge: 'Negotiate' }),
      /sends no Bearer or Basic challenge/,
    ],
    ['the challenge has no realm', () => aRegistry({ challenge: 'Bearer service="x"' }), /no token endpoint/],
    ['the realm is no URL', () => aRegistry({ challenge: 'Bearer realm="us.icr.io"' }), /no token endpoint/],
    [
      'the realm is no web address',
      () => aRegistry({ challenge: 'Bearer realm="file:///etc"' }),
      /no token endpoint/,
    ],
    [
      'the realm has a password in it',
      () => aRegistry({ challenge: 'Bearer realm="https://a:b@us.icr.io/"' }),
      /no token endpoint/,
    ],
    [
      'the realm is not encrypted',
      () => aRegistry({ challenge: 'Bearer realm="http://us.icr.io/oauth/token"' }),
      /not be safe/,
    ],
    [
      'the token endpoint wants to be told a service, which the challenge does not name',
      () => {
        aRegistry({ challenge: `Bearer realm="${REALM}"` });
        nock(REGISTRY).get('/oauth/token').query({ account: 'token' }).reply(400, 'service?');
      },
      /token endpoint us\.icr\.io answered 400/,
    ],
    ['the token endpoint answers HTML', () => aRegistry({ grant: [401, '<html>', HTML] }), /401 in HTML/],
    ['the token endpoint forbids', () => aRegistry({ grant: [403, {}] }), /403/],
    ['the token endpoint is in trouble', () => aRegistry({ grant: [500, {}] }), /500/],
    [
      'the token endpoint redirects',
      () => aRegistry({ grant: [307, '', { Location: 'https://evil.test/' }] }),
      /307/,
    ],
    ['the token endpoint gives nothing', () => aRegistry({ grant: [200, {}] }), /without a bearer token/],
    ['the token endpoint gives no JSON', () => aRegistry({ grant: [200, 'hm'] }), /without a bearer token/],
    [
      'the bearer token can not stand in a header',
      () => aRegistry({ grant: [200, { token: 'a\nb' }] }),
      /without a bearer/,
    ],
    ['the registry forbids the bearer token', () => aRegistry({ grant: GRANT, entry: [403, {}] }), /403/],
    [
      'a proxy answers to the bearer token',
      () => aRegistry({ grant: GRANT, entry: [401, '<html>', HTML] }),
      /401 in HTML/,
    ],
  ];
  for (const [what, prepare, message] of doubts) {
    it(`says nothing: ${what}`, async () => {
      prepare();
      const verdict = await attempt();
      expect(verdict).to.include({ answer: 'unknown' });
      expect('message' in verdict && verdict.message).to.match(message);
    });
  }

  it('shows the credential to another host that the registry names over TLS', async () => {
    const reqheaders = { authorization };
    nock(REGISTRY).get('/v2/').reply(401, '', { 'WWW-Authenticate': 'Bearer realm="https://auth.test/t"' });
    nock('https://auth.test', { reqheaders }).get('/t').query({ account: 'token' }).reply(401);
    expect(await attempt()).to.include({ answer: 'refused' });
  });

  describe('of a registry that asks for the credential itself', () => {
    const basic = (...answer: Answer): void => {
      aRegistry({ challenge: 'Basic realm="registry"' });
      nock(REGISTRY, { reqheaders: { authorization } })
        .get('/v2/')
        .reply(...answer);
    };
    const answers: [what: string, answer: Answer, verdict: object][] = [
      ['accepts it with 200', OPEN, { answer: 'accepted' }],
      [
        'refuses it with 401',
        [401, {}],
        { answer: 'refused', message: 'us.icr.io answered 401 to the token' },
      ],
      [
        'says nothing with 403',
        [403, {}],
        { answer: 'unknown', message: 'us.icr.io answered 403 to the token' },
      ],
      ['says nothing with HTML', [200, '<html>', HTML], { answer: 'unknown' }],
      ['says nothing in trouble', [503, {}], { answer: 'unknown' }],
    ];
    for (const [what, answer, verdict] of answers)
      it(what, async () => {
        basic(...answer);
        expect(await attempt()).to.include(verdict);
      });
  });

  describe('of a registry without TLS', () => {
    const region = (host: string, endpoint: string): LoginProbe =>
      aDirectory().directory.loginProbe(
        anAccount({ spec: { regions: [{ name: 'box', host, endpoint }] } }),
        'box',
      );
    const origin = 'http://box.test:5000';
    const challenge = (realm: string): string => `Bearer realm="${realm}",service="registry"`;

    it('is tried in plain HTTP when the account says so, with a token endpoint on its own host', async () => {
      const tokens = 'http://box.test:5001';
      nock(origin)
        .get('/v2/')
        .reply(401, '', { 'WWW-Authenticate': challenge(`${tokens}/oauth/token`) });
      nock(tokens)
        .get('/oauth/token')
        .query(true)
        .reply(...GRANT);
      nock(origin)
        .get('/v2/')
        .reply(...OPEN);
      expect(await attempt(region('box.test:5000', 'http://box.test:8080'))).to.deep.equal({
        answer: 'accepted',
      });
    });
    for (const realm of ['http://evil.test/', 'https://evil.test/']) {
      it(`shows the credential to nobody else: ${realm}`, async () => {
        aRegistry({ origin, challenge: challenge(realm) });
        const verdict = await attempt(region('box.test:5000', 'http://box.test:8080'));
        expect(verdict).to.include({ answer: 'unknown' });
      });
    }
    const encrypted: [what: string, endpoint: string][] = [
      ['the account names a token API with TLS', 'https://box.test:8080'],
      ['the account names a token API without TLS on another host', 'http://tokens.cluster.local:8080'],
    ];
    for (const [what, endpoint] of encrypted)
      it(`is not tried in plain HTTP where ${what}`, async () => {
        nock('https://box.test:5000').get('/v2/').reply(404);
        expect(await attempt(region('box.test:5000', endpoint))).to.include({ answer: 'unknown' });
      });
  });

  it('is given ten seconds for all its answers together', async () => {
    nock(REGISTRY).get('/v2/').delay(3_600_000).reply(401);
    const verdict = attempt();
    await settle();
    await clock.advance(9_999);
    await clock.advance(1);
    expect(await verdict).to.deep.include({ answer: 'unknown' });
    nock.abortPendingRequests();
  });

  it('is left alone after five failures, so that nobody waits for it', async () => {
    nock(REGISTRY).get('/v2/').times(5).reply(502);
    for (let time = 0; time < 5; time++) await attempt();
    const verdict = await attempt();
    expect('message' in verdict && verdict.message).to.match(
      /registry us\.icr\.io has been unavailable since/,
    );
  });

  it('is asked anew at once where the account names another host', async () => {
    const { directory } = aDirectory();
    const at = (host: string): LoginProbe =>
      directory.loginProbe(
        anAccount({ spec: { regions: [{ name: 'box', host, endpoint: 'https://tokens.test' }] } }),
        'box',
      );
    nock('https://wrong.test').get('/v2/').times(5).reply(502);
    for (let time = 0; time < 5; time++) await attempt(at('wrong.test'));
    nock('https://right.test').get('/v2/').reply(404);
    const verdict = await attempt(at('right.test'));
    expect('message' in verdict && verdict.message).to.match(/404/);
    const again = await attempt(at('wrong.test'));
    expect('message' in again && again.message).to.match(/registry wrong\.test has been unavailable since/);
  });

  describe('of a token with a scope: the token endpoint is asked for pull, and for push where that is wanted', () => {
    const pull = [{ type: 'repository', name: 'team/x', actions: ['pull'] }];
    const push = [{ type: 'repository', name: 'team/x', actions: ['pull', 'push'] }];
    const bearer = (access: unknown): object => ({ token: aJwt({ access }) });
    const cases: { what: string; access?: Access; answers: Answer[]; verdict: Verdict['answer'] }[] = [
      { what: 'pull is given', answers: [[200, bearer(pull)]], verdict: 'accepted' },
      { what: 'all is given', answers: [[200, bearer([{ actions: ['*'] }])]], verdict: 'accepted' },
      { what: 'nothing is given', answers: [[200, bearer([])]], verdict: 'refused' },
      { what: 'no more than pull', access: 'ReadWrite', answers: [[200, bearer(pull)]], verdict: 'refused' },
      { what: 'pull and push', access: 'ReadWrite', answers: [[200, bearer(push)]], verdict: 'accepted' },
      { what: 'a token that nobody can read', answers: [[200, { token: 'opaque' }]], verdict: 'accepted' },
      { what: 'a refusal', answers: [[403, {}]], verdict: 'refused' },
      { what: 'too many requests', answers: [[429, {}]], verdict: 'unknown' },
      { what: 'a page', answers: [[200, '<html>', HTML]], verdict: 'unknown' },
    ];
    for (const { what, access = 'ReadOnly', answers, verdict } of cases)
      it(`${what}: ${verdict}`, async () => {
        aRegistry({ grant: GRANT, entry: OPEN });
        const scope = answers.map((_, at) => `team-${at}`);
        for (const [at, answer] of answers.entries()) {
          const actions = access === 'ReadOnly' ? 'pull' : 'pull,push';
          const asked = `repository:team-${at}/registry-token-operator:${actions}`;
          nock(REGISTRY, { reqheaders: { authorization } })
            .get('/oauth/token')
            .query({ account: 'token', service: 'registry', scope: asked })
            .reply(...answer);
        }
        const said = await probe.try({ ...A_LOGIN, access, scope }, NEVER);
        expect(said.answer).to.equal(verdict);
        if (verdict === 'refused' && 'message' in said)
          expect(said.message).to.match(/us\.icr\.io of us\.icr\.io does not give pull( and push)? in team-/);
      });

    it('a name that stands for a repository is tried as it is', async () => {
      const ecr = { registryId: '123456789012', roleArn: 'arn:aws:iam::123456789012:role/puller' };
      const regions = [{ name: 'us-east-1', host: 'us.icr.io', endpoint: 'https://api.ecr.test' }];
      const keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: VALUE };
      const data = new Map(Object.entries(keys).map(([key, value]) => [key, new Redacted(value)]));
      const credentials = providerOf({
        ecr,
        regions,
        credentialsSecretRef: { name: 'aws' },
      })?.readCredentials(data);
      if (!credentials || 'problem' in credentials) throw new Error('there are credentials');
      const repositories = aDirectory().directory.loginProbe({ ...anAccount(), credentials }, 'us-east-1');
      aRegistry({ grant: GRANT, entry: OPEN });
      nock(REGISTRY, { reqheaders: { authorization } })
        .get('/oauth/token')
        .query({ account: 'token', service: 'registry', scope: 'repository:team/app:pull' })
        .reply(200, bearer(pull));
      const said = await repositories.try({ ...A_LOGIN, scope: ['team/app'] }, NEVER);
      expect(said).to.deep.equal({ answer: 'accepted' });
    });

    const repositoryIn = (name: string): string => `${name}/registry-token-operator`;
    const given = (names: readonly string[]): object =>
      bearer(names.map((name) => ({ type: 'repository', name: repositoryIn(name), actions: ['pull'] })));
    /** The registry's answer when it is asked for these names at once. */
    const answerTo = (names: readonly string[], ...answer: Answer): void => {
      const scopes = names.map((name) => `repository:${repositoryIn(name)}:pull`);
      nock(REGISTRY, { reqheaders: { authorization } })
        .get('/oauth/token')
        .query({ account: 'token', service: 'registry', scope: scopes.length === 1 ? scopes[0] : scopes })
        .reply(...answer);
    };
    const several: { what: string; answers: [string[], ...Answer][]; verdict: Verdict['answer'] }[] = [
      { what: 'all are given', answers: [[['a', 'b'], 200, given(['b', 'a'])]], verdict: 'accepted' },
      {
        what: 'one is not given, nor alone',
        answers: [
          [['a', 'b'], 200, given(['a'])],
          [['b'], 200, given([])],
        ],
        verdict: 'refused',
      },
      {
        what: 'the registry gives only the first of several at once, and each alone',
        answers: [
          [['a', 'b'], 200, given(['a'])],
          [['b'], 200, given(['b'])],
        ],
        verdict: 'accepted',
      },
      {
        what: 'the registry refuses several at once, and gives each alone',
        answers: [
          [['a', 'b'], 400, {}],
          [['a'], 200, given(['a'])],
          [['b'], 200, given(['b'])],
        ],
        verdict: 'accepted',
      },
      {
        what: 'the registry fails on several at once, and gives each alone',
        answers: [
          [['a', 'b'], 500, {}],
          [['a'], 200, given(['a'])],
          [['b'], 200, given(['b'])],
        ],
        verdict: 'accepted',
      },
      {
        what: 'a proxy has a page for a URL that is too long, and the registry gives each alone',
        answers: [
          [['a', 'b'], 414, '<html>', HTML],
          [['a'], 200, given(['a'])],
          [['b'], 200, given(['b'])],
        ],
        verdict: 'accepted',
      },
      {
        what: 'the registry fails on one too',
        answers: [
          [['a', 'b'], 500, {}],
          [['a'], 500, {}],
        ],
        verdict: 'unknown',
      },
      { what: 'the registry asks for a pause', answers: [[['a', 'b'], 429, {}]], verdict: 'unknown' },
      { what: 'the answer is a page', answers: [[['a', 'b'], 200, '<html>', HTML]], verdict: 'unknown' },
      {
        what: 'nobody can read the token',
        answers: [[['a', 'b'], 200, { token: 'opaque' }]],
        verdict: 'accepted',
      },
    ];
    for (const { what, answers, verdict } of several)
      it(`of several names, ${what}: ${verdict}`, async () => {
        aRegistry({ grant: GRANT, entry: OPEN });
        for (const [names, ...answer] of answers) answerTo(names, ...answer);
        expect((await probe.try({ ...A_LOGIN, scope: ['a', 'b'] }, NEVER)).answer).to.equal(verdict);
        expect(nock.isDone()).to.equal(true);
      });

    it('every name of a long scope is asked for, sixteen at once', async () => {
      aRegistry({ grant: GRANT, entry: OPEN });
      const scope = Array.from({ length: 64 }, (_, at) => `team-${at}`);
      for (let at = 0; at < 48; at += 16) answerTo(scope.slice(at, at + 16), 200, given(scope));
      answerTo(scope.slice(48), 200, given(scope.slice(0, 63)));
      answerTo(['team-63'], 403, {});
      const said = await probe.try({ ...A_LOGIN, scope }, NEVER);
      expect(said).to.deep.equal({
        answer: 'refused',
        message: 'the token endpoint us.icr.io of us.icr.io does not give pull in team-63: it answered 403',
      });
      expect(nock.isDone()).to.equal(true);
    });
  });

  it('ends with the signal', async () => {
    nock(REGISTRY).get('/v2/').delay(3_600_000).reply(401);
    const stop = new AbortController();
    const trying = probe.try(A_LOGIN, stop.signal);
    await settle();
    stop.abort(new Error('stopping'));
    expect(await trying.catch((error: unknown) => String(error))).to.equal('Error: stopping');
    nock.abortPendingRequests();
  });

  it('is none where the account has no such region', async () => {
    const { directory } = aDirectory();
    const opening = Promise.resolve().then(() => directory.loginProbe(anAccount(), 'nowhere'));
    expect((await errorOf(opening)).code).to.equal('InvalidRequest');
  });
});
