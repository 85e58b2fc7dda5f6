import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { decodeJwt, decodeProtectedHeader, importX509, jwtVerify, type JWTPayload } from 'jose';
import type { Answer } from '../../../../sandbox/registries/shared/message.ts';
import type { TokenService } from '../../../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import {
  ACCOUNT,
  basic,
  bodyOf,
  call,
  fixture,
  HOST,
  mint,
  OTHER_ACCOUNT,
  OTHER_KEY,
  postForm,
  signIn,
  START,
} from './fixture.ts';

const AUTH = '/oauth/token';
/** What a registry of CNCF Distribution allows for clocks that differ, in seconds. */
const LEEWAY = 60;
const APP = 'scope=repository%3Ateam%2Fapp%3Apull%2Cpush';

interface Grant {
  type: string;
  name: string;
  actions: string[];
}

async function claimsOf(service: TokenService, answer: Answer): Promise<JWTPayload & { access: Grant[] }> {
  const key = await importX509(await service.certificate(), 'ES256');
  const { payload } = await jwtVerify(String(bodyOf(answer).access_token), key, {
    issuer: HOST,
    audience: 'registry',
    currentDate: new Date(START),
    clockTolerance: LEEWAY,
  });
  return payload as JWTPayload & { access: Grant[] };
}

async function login(service: TokenService, value: string, query = APP): Promise<Answer> {
  return call(service, 'GET', `${AUTH}?service=registry&${query}`, { headers: basic(value) });
}

function passwordForm(value: string, fields: Record<string, string> = {}): Record<string, string> {
  return {
    grant_type: 'password',
    service: 'registry',
    client_id: 'containerd-client',
    username: 'token',
    password: value,
    scope: 'repository:team/app:pull,push',
    ...fields,
  };
}

describe("token service: CNCF Distribution's token authentication", () => {
  it('gives a bearer token for a minute that its certificate vouches for', async () => {
    const { service } = fixture();
    const value = await mint(service, await signIn(service), '?write=true');
    const answer = await login(service, value);
    expect(answer.status).to.equal(200);
    const body = bodyOf(answer);
    expect(body).to.have.all.keys('token', 'access_token', 'expires_in', 'issued_at');
    expect(body).to.include({
      token: body.access_token,
      expires_in: 60,
      issued_at: '2026-01-01T00:00:00.000Z',
    });
    const { jti, ...claims } = await claimsOf(service, answer);
    expect(jti).to.be.a('string');
    expect(claims).to.deep.equal({
      iss: HOST,
      aud: 'registry',
      sub: ACCOUNT,
      iat: START / 1000,
      nbf: START / 1000,
      exp: START / 1000 + 60 - LEEWAY,
      access: [{ type: 'repository', name: 'team/app', actions: ['pull', 'push'] }],
    });
    const header = decodeProtectedHeader(String(body.token));
    expect(header).to.include({ alg: 'ES256', typ: 'JWT' });
    const certificate = new X509Certificate(await service.certificate());
    expect(header.x5c).to.deep.equal([certificate.raw.toString('base64')]);
    expect(certificate.verify(certificate.publicKey)).to.equal(true);
    expect(certificate.validToDate.getTime()).to.be.greaterThan(START + 365 * 24 * 3_600_000);
  });

  it('gives no bearer token that outlives what it was given for', async () => {
    const { service, clock } = fixture({ tokenLifetime: 90_000 });
    const value = await mint(service, await signIn(service));
    const lifetimes: unknown[] = [];
    for (const milliseconds of [0, 30_000, 40_000]) {
      await clock.advance(milliseconds);
      const answers = [await login(service, value), await postForm(service, AUTH, passwordForm(value))];
      for (const answer of answers) {
        const { access_token: bearer, expires_in: expiresIn, issued_at: issuedAt } = bodyOf(answer);
        const { exp } = decodeJwt(String(bearer));
        lifetimes.push(expiresIn);
        // A registry accepts it for so much longer than it says; a client goes by the other two.
        expect(Number(exp) + LEEWAY).to.equal(Date.parse(String(issuedAt)) / 1000 + Number(expiresIn));
      }
    }
    expect(lifetimes).to.deep.equal([60, 60, 60, 60, 20, 20]);
  });

  it('takes a bare login, without a scope', async () => {
    const { service } = fixture();
    const answer = await login(service, await mint(service, await signIn(service)), 'account=token');
    expect(answer.status).to.equal(200);
    expect((await claimsOf(service, answer)).access).to.be.empty;
  });

  const grants: [string, string, string, [string, string[]][]][] = [
    ['a read-only token pulls', '', APP, [['team/app', ['pull']]]],
    ['a read-write token pulls and pushes', '?write=true', APP, [['team/app', ['pull', 'push']]]],
    ['push alone is nothing to a read-only token', '', 'scope=repository:team/app:push', []],
    ['nobody deletes', '?write=true', 'scope=repository:team/app:delete,*', []],
    ['nobody sees the catalog', '?write=true', 'scope=registry:catalog:*', []],
    [
      'scopes repeat, and join for one repository',
      '?write=true',
      'scope=repository:a/b:pull&scope=repository:c/d:pull&scope=repository:a/b:push,pull',
      [
        ['a/b', ['pull', 'push']],
        ['c/d', ['pull']],
      ],
    ],
    [
      'scopes stand in one parameter',
      '',
      'scope=repository:a:pull%20repository:b:pull',
      [
        ['a', ['pull']],
        ['b', ['pull']],
      ],
    ],
    ['a name can hold a port', '', 'scope=repository:host:5000/app:pull', [['host:5000/app', ['pull']]]],
    ['a malformed scope is left out', '', 'scope=repository&scope=::&scope=repository:a', []],
  ];
  for (const [what, mintQuery, query, expected] of grants) {
    it(what, async () => {
      const { service } = fixture();
      const value = await mint(service, await signIn(service), mintQuery);
      const { access } = await claimsOf(service, await login(service, value, query));
      expect(access).to.deep.equal(
        expected.map(([name, actions]) => ({ type: 'repository', name, actions })),
      );
    });
  }

  it('never grants what the token has not or the client did not ask for', async () => {
    const { service } = fixture({ namespaces: { [ACCOUNT]: ['mine'] } });
    const headers = await signIn(service);
    const values = {
      ReadOnly: await mint(service, headers),
      ReadWrite: await mint(service, headers, '?write=true'),
    };
    const scope = fc.record({
      name: fc.constantFrom('mine/a', 'mine/b', 'mine', 'theirs/a', 'mine-not/a', 'a/mine'),
      actions: fc.array(fc.constantFrom('pull', 'push', 'delete', '*', ''), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(scope, { maxLength: 5 }),
        fc.constantFrom('ReadOnly', 'ReadWrite'),
        async (scopes, access) => {
          const query = new URLSearchParams(
            scopes.map(
              ({ name, actions }) => ['scope', `repository:${name}:${actions.join(',')}`] as [string, string],
            ),
          );
          const granted = (await claimsOf(service, await login(service, values[access], query.toString())))
            .access;
          const asked = scopes.flatMap(({ name, actions }) => actions.map((action) => `${name} ${action}`));
          const allowed = access === 'ReadOnly' ? ['pull'] : ['pull', 'push'];
          const expected = asked.filter(
            (one) => /^mine[ /]/.test(one) && allowed.includes(one.split(' ')[1]!),
          );
          const got = granted.flatMap(({ name, actions }) => actions.map((action) => `${name} ${action}`));
          expect(got).to.have.members([...new Set(expected)]);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("refuses what lies in another account's namespace", async () => {
    const { service } = fixture({ namespaces: { [ACCOUNT]: ['ours'], [OTHER_ACCOUNT]: ['theirs'] } });
    const value = await mint(service, await signIn(service, OTHER_KEY, OTHER_ACCOUNT));
    const query = 'scope=repository:ours/app:pull&scope=repository:theirs/app:pull';
    const { access } = await claimsOf(service, await login(service, value, query));
    expect(access.map(({ name }) => name)).to.deep.equal(['theirs/app']);
  });

  describe('the password grant of OAuth 2', () => {
    it('gives the same, and says the granted scope', async () => {
      const { service } = fixture();
      const value = await mint(service, await signIn(service));
      const answer = await postForm(service, AUTH, passwordForm(value));
      expect(answer.status).to.equal(200);
      expect(bodyOf(answer)).to.include({ scope: 'repository:team/app:pull', expires_in: 60 });
      expect((await claimsOf(service, answer)).access[0]?.actions).to.deep.equal(['pull']);
    });

    const refusals: [string, Record<string, string>, string][] = [
      ['a refresh token', { grant_type: 'refresh_token' }, 'unsupported_grant_type'],
      ['no service', { service: '' }, 'invalid_request'],
    ];
    for (const [what, fields, error] of refusals) {
      it(`answers ${what} with 400 ${error}`, async () => {
        const { service } = fixture();
        const value = await mint(service, await signIn(service));
        const answer = await postForm(service, AUTH, passwordForm(value, fields));
        expect([answer.status, bodyOf(answer)]).to.deep.equal([400, { error }]);
      });
    }

    it('answers a body that is no form with 400', async () => {
      const { service } = fixture();
      const answer = await call(service, 'POST', AUTH, { body: '{}' });
      expect([answer.status, bodyOf(answer)]).to.deep.equal([400, { error: 'invalid_request' }]);
    });
  });

  it('answers a missing service with 400', async () => {
    const { service } = fixture();
    const value = await mint(service, await signIn(service));
    expect((await call(service, 'GET', AUTH, { headers: basic(value) })).status).to.equal(400);
  });

  describe('what is refused with 401, either way', () => {
    const cases: [string, (value: string) => { username?: string; password: string }][] = [
      ['no token at all', () => ({ password: 'wrong' })],
      ['an empty password', () => ({ password: '' })],
      ['another user', (value) => ({ username: 'iamapikey', password: value })],
      ['a cut token', (value) => ({ password: value.slice(0, -1) })],
      ['a longer token', (value) => ({ password: `${value}=` })],
      [
        'the claims of one with the signature of none',
        (value) => ({ password: value.replace(/[^.]*$/, 'AAAA') }),
      ],
    ];
    for (const [what, spoil] of cases) {
      it(what, async () => {
        const { service } = fixture();
        const { username = 'token', password } = spoil(await mint(service, await signIn(service)));
        const query = `${AUTH}?service=registry`;
        const answers = [
          await call(service, 'GET', query, { headers: basic(password, username) }),
          await postForm(service, AUTH, passwordForm(password, { username })),
        ];
        for (const answer of answers) expectUnauthorized(answer);
      });
    }

    for (const authorization of [undefined, 'Basic', 'Basic !', 'Basic dG9rZW4=', 'Bearer x']) {
      it(`the header ${authorization ?? 'that is absent'}`, async () => {
        const { service } = fixture();
        expectUnauthorized(
          await call(service, 'GET', `${AUTH}?service=registry`, {
            headers: authorization ? { authorization } : {},
          }),
        );
      });
    }

    it('a revoked token, at once', async () => {
      const { service } = fixture();
      const headers = await signIn(service);
      const value = await mint(service, headers, '?description=x');
      expect((await login(service, value)).status).to.equal(200);
      await call(service, 'DELETE', '/api/v1/tokens?secondaryOwner=x', { headers });
      expectUnauthorized(await login(service, value));
    });

    it('an expired token, at the second of its exp', async () => {
      const { service, clock } = fixture({ tokenLifetime: 60_000 });
      const value = await mint(service, await signIn(service));
      await clock.advance(59_999);
      expect((await login(service, value)).status).to.equal(200);
      await clock.advance(1);
      expectUnauthorized(await login(service, value));
    });

    it('a token of another region', async () => {
      const { service: elsewhere } = fixture();
      const value = await mint(elsewhere, await signIn(elsewhere));
      expectUnauthorized(await login(fixture().service, value));
    });
  });
});

function expectUnauthorized(answer: Answer): void {
  expect(answer.status).to.equal(401);
  expect(answer.headers['www-authenticate']).to.equal(`Basic realm="${HOST}"`);
  expect(bodyOf(answer)).to.deep.equal({
    errors: [
      {
        code: 'UNAUTHORIZED',
        message:
          'Authorization required. See https://cloud.ibm.com/docs/Registry?topic=Registry-troubleshoot-auth-req',
      },
    ],
  });
}
