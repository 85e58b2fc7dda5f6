import { expect } from 'chai';
import type { IssuedToken, IssueRequest } from '../../../src/registry/port.ts';
import { aJwt } from './support/jwt.ts';
import { nock, useNock } from '../../support/nocked.ts';
import {
  aDirectory,
  ACCOUNT_ID,
  anExchange,
  aRequest,
  errorOf,
  IAM,
  NEVER,
  REGISTRY,
  type Observation,
  listOf,
  registryOf,
  type WholeRegistry,
} from './support/registry-world.ts';

const ID = 'ae57b394-e39d-595f-ae5d-e46905285df6';
const EXP = 1_540_423_054;
const HOURS_24 = 86_400_000;

function claims(part: object = {}): object {
  return { exp: EXP, jti: ID, iss: 'registry.ng.bluemix.net', ...part };
}

describe('IBMRegistryTokens', () => {
  useNock();

  let registry: WholeRegistry;
  let observed: Observation[];

  beforeEach(() => {
    const world = aDirectory();
    ({ observed } = world);
    nock(IAM).post('/identity/token').optionally().reply(200, anExchange());
    registry = registryOf(world.directory);
  });

  const mint = (part: Partial<IssueRequest> = {}): Promise<IssuedToken> =>
    registry.issue(aRequest(part), NEVER);

  const MINT = '/api/v1/tokens?description=d&permanent=false&write=false';

  it('says what it can do', () => {
    expect(registry).to.include({ host: 'us.icr.io' });
    expect(registry.capabilities).to.deep.equal({
      issue: 'minted',
      access: ['ReadOnly', 'ReadWrite'],
      lifetimes: {
        kind: 'range',
        minimum: HOURS_24,
        maximum: HOURS_24,
        granularity: HOURS_24,
        never: true,
        default: HOURS_24,
      },
      scope: undefined,
      find: 'tag',
      readBack: true,
      revoke: true,
      settling: { acceptance: 30_000, listing: 0, absence: 0 },
    });
  });

  it('sends its credentials in headers with every request', async () => {
    const answer = anExchange();
    nock.cleanAll();
    nock(IAM).post('/identity/token').reply(200, answer);
    const reqheaders = {
      authorization: `Bearer ${String(answer.access_token)}`,
      account: ACCOUNT_ID,
      accept: 'application/json',
      'accept-language': 'en',
      'user-agent': 'registry-token-operator/1.2.3',
    };
    nock(REGISTRY, { reqheaders })
      .post(MINT, '')
      .reply(200, { token: aJwt(claims()) });
    nock(REGISTRY, { reqheaders })
      .get(`/api/v1/tokens/${ID}`)
      .reply(200, { token: aJwt(claims()) });
    nock(REGISTRY, { reqheaders }).delete(`/api/v1/tokens/${ID}`).reply(200);
    nock(REGISTRY, { reqheaders }).get('/api/v1/tokens').reply(200, { tokens: [] });
    await mint();
    await registry.read(ID, NEVER);
    await registry.revoke(ID, NEVER);
    await listOf(registry);
    expect(
      observed.map(({ account, region, operation, code }) => [account, region, operation, code]),
    ).to.deep.equal([
      ['default', '', 'exchange', 200],
      ['default', 'us-south', 'mint', 200],
      ['default', 'us-south', 'read', 200],
      ['default', 'us-south', 'revoke', 200],
      ['default', 'us-south', 'list', 200],
    ]);
  });

  describe('mints', () => {
    const requests: [Partial<IssueRequest>, string][] = [
      [{}, 'description=d&permanent=false&write=false'],
      [{ access: 'ReadWrite' }, 'description=d&permanent=false&write=true'],
      [{ lifetime: 'Never' }, 'description=d&permanent=true&write=false'],
      [{ access: 'ReadWrite', lifetime: 'Never' }, 'description=d&permanent=true&write=true'],
      [{ description: '' }, 'description=&permanent=false&write=false'],
      [
        { description: 'a b+c&d=é [pullsecrets.dev:c1:u1:1]' },
        'description=a%20b%2Bc%26d%3D%C3%A9%20%5Bpullsecrets.dev%3Ac1%3Au1%3A1%5D&permanent=false&write=false',
      ],
    ];
    for (const [request, query] of requests) {
      it(`with ?${query}`, async () => {
        let asked = '';
        nock(REGISTRY)
          .post(/^\/api\/v1\/tokens/)
          .reply(200, (sent: Request) => {
            asked = new URL(sent.url).search;
            return { token: aJwt(claims()) };
          });
        await mint(request);
        expect(asked).to.equal(`?${query}`);
      });
    }

    const answers: [string, number, object, number | null][] = [
      ['a token that expires', 200, claims(), EXP * 1000],
      ['a token, with 201', 201, claims(), EXP * 1000],
      ['a token that never expires', 200, claims({ exp: undefined }), null],
    ];
    for (const [name, status, tokenClaims, expiresAt] of answers) {
      it(`and reads ${name}`, async () => {
        const token = aJwt(tokenClaims);
        nock(REGISTRY).post(MINT).reply(status, { token });
        const issued = await mint();
        expect(issued).to.include({ id: ID, username: 'token', expiresAt });
        expect(issued.value.reveal()).to.equal(token);
      });
    }

    for (const lifetime of [0, 3_600_000, HOURS_24 + 1, NaN]) {
      it(`nothing for ${lifetime} ms, without a request`, async () => {
        expect(await errorOf(mint({ lifetime }))).to.include({
          code: 'InvalidRequest',
          message: `could not create a token at us.icr.io: it has tokens for 24h or Never, not for ${lifetime} ms; correct spec.lifetime`,
        });
        expect(observed).to.deep.equal([]);
      });
    }
  });

  /** Answers with a 2xx status that hold no token. */
  const unreadable: [string, number, nock.Body | undefined][] = [
    ['no body', 200, ''],
    ['204', 204, undefined],
    ['HTML', 200, '<!DOCTYPE html><html></html>'],
    ['JSON that ends early', 200, '{"token":"eyJhbGciOi'],
    ['text', 200, 'OK'],
    ['null', 200, 'null'],
    ['a list', 200, []],
    ['no token', 202, {}],
    ['a token that is no text', 200, { token: 5 }],
    ['an empty token', 200, { token: '' }],
    ['a JWT with two parts', 200, { token: aJwt(claims()).split('.').slice(0, 2).join('.') }],
    ['a JWT with four parts', 200, { token: `${aJwt(claims())}.x` }],
    ['a JWT whose claims are no JSON', 200, { token: 'eyJhbGciOiJIUzI1NiJ9.bm8ganNvbiBhdCBhbGw.c2ln' }],
    ['a JWT without jti', 200, { token: aJwt(claims({ jti: undefined })) }],
    ['a JWT whose jti is a number', 200, { token: aJwt(claims({ jti: 7 })) }],
    ['a JWT whose jti is empty', 200, { token: aJwt(claims({ jti: '' })) }],
    ['a JWT whose jti is a path', 200, { token: aJwt(claims({ jti: '..' })) }],
    ['a JWT whose exp is a text', 200, { token: aJwt(claims({ exp: '1540423054' })) }],
    ['a JWT whose exp is null', 200, { token: aJwt(claims({ exp: null })) }],
    ['a JWT whose exp is no time', 200, { token: aJwt(claims({ exp: -1 })) }],
  ];
  describe('can not tell whether it minted when the answer has', () => {
    for (const [name, status, body] of unreadable) {
      it(name, async () => {
        nock(REGISTRY).post(MINT).reply(status, body);
        const error = await errorOf(mint());
        expect(error).to.include({ code: 'Ambiguous', status, retryable: true });
        expect(error.message).to.match(
          /^could not create a token at us\.icr\.io: the server answered 20\d, but /,
        );
      });
    }
  });

  describe('calls the registry unavailable when the answer to a read has', () => {
    for (const [name, status, body] of unreadable) {
      it(name, async () => {
        nock(REGISTRY).get(`/api/v1/tokens/${ID}`).reply(status, body);
        expect(await errorOf(registry.read(ID, NEVER))).to.include({ code: 'Unavailable', status });
      });
    }

    it('another token', async () => {
      nock(REGISTRY)
        .get(`/api/v1/tokens/${ID}`)
        .reply(200, { token: aJwt(claims({ jti: 'another' })) });
      expect(await errorOf(registry.read(ID, NEVER))).to.include({
        code: 'Unavailable',
        message: `could not read token ${ID} at us.icr.io: the server answered 200, but the answer does not hold this token`,
      });
    });
  });

  it('reads a token back', async () => {
    const token = aJwt(claims());
    nock(REGISTRY).get(`/api/v1/tokens/${ID}`).reply(200, { token });
    const issued = await registry.read(ID, NEVER);
    expect(issued).to.include({ id: ID, expiresAt: EXP * 1000 });
    expect(issued.value.reveal()).to.equal(token);
  });

  describe('revokes', () => {
    const answers: [string, number, nock.Body | undefined][] = [
      ['200 without a body', 200, ''],
      ['200 with one', 200, { ok: true }],
      ['200 with HTML', 200, '<html>'],
      ['202', 202, ''],
      ['204', 204, undefined],
      ['404: it is gone already', 404, { code: 'CRT0404E', message: 'not found' }],
      ['404 without a body', 404, ''],
    ];
    for (const [name, status, body] of answers) {
      it(`and takes ${name} for success`, async () => {
        nock(REGISTRY).delete(`/api/v1/tokens/${ID}`).reply(status, body);
        await registry.revoke(ID, NEVER);
      });
    }

    it("and does not take a gateway's 404 for success", async () => {
      nock(REGISTRY).delete(`/api/v1/tokens/${ID}`).reply(404, '<html>iam-gateway</html>');
      expect(await errorOf(registry.revoke(ID, NEVER))).to.include({ code: 'Unavailable', status: 404 });
    });
  });

  describe('escapes ids', () => {
    for (const [id, path] of [
      ['a/b?c#d', 'a%2Fb%3Fc%23d'],
      ['../x', '..%2Fx'],
      ['%2e%2e', '%252e%252e'],
      ['é ', '%C3%A9%20'],
      ['...', '...'],
    ] as const) {
      it(id, async () => {
        let asked = '';
        nock(REGISTRY)
          .delete(/.*/)
          .reply(200, (sent: Request) => {
            asked = new URL(sent.url).pathname;
            return '';
          });
        await registry.revoke(id, NEVER);
        expect(asked).to.equal(`/api/v1/tokens/${path}`);
      });
    }

    for (const id of ['', '.', '..']) {
      it(`and refuses ${JSON.stringify(id)}, which would name all tokens or none`, async () => {
        expect(await errorOf(registry.revoke(id, NEVER))).to.include({ code: 'InvalidRequest' });
        expect(await errorOf(registry.read(id, NEVER))).to.include({ code: 'InvalidRequest' });
      });
    }
  });

  async function listed(body: nock.Body): Promise<unknown> {
    nock(REGISTRY).get('/api/v1/tokens').reply(200, body);
    return listOf(registry);
  }

  describe('lists', () => {
    it('all tokens, without their values', async () => {
      const rows = await listed({
        tokens: [
          {
            _id: ID,
            owner: 'abc',
            token: aJwt(claims()),
            secondary_owner: 'Test Token',
            readonly: true,
            revoked: false,
            expiry: EXP,
            encrypted_token: 'encrypted',
          },
          { _id: 'second', revoked: true },
        ],
      });
      expect(rows).to.deep.equal([
        { id: ID, description: 'Test Token', expiresAt: EXP * 1000, revoked: false },
        { id: 'second', description: '', expiresAt: null, revoked: true },
      ]);
    });

    it('the sample of the SDK', async () => {
      const rows = await listed({
        tokens: [{ _id: ID, owner: 'abc', token: aJwt(claims()), secondary_owner: 'Test Token' }],
      });
      expect(rows).to.deep.equal([{ id: ID, description: 'Test Token', expiresAt: null, revoked: false }]);
    });

    it('none', async () => {
      expect(await listed({ tokens: [] })).to.deep.equal([]);
      expect(await listed({ tokens: null }), 'as Go writes it').to.deep.equal([]);
    });

    it('more than a megabyte', async () => {
      const tokens = Array.from({ length: 5_000 }, (_, index) => ({
        _id: `${ID}-${index}`,
        owner: 'x'.repeat(300),
      }));
      expect(await listed({ tokens })).to.have.length(5_000);
    });

    const odd: [string, object, object][] = [
      ['an expiry of 0', { expiry: 0 }, { expiresAt: null }],
      ['a negative expiry', { expiry: -1 }, { expiresAt: null }],
      ['an expiry that is a text', { expiry: '1540423054' }, { expiresAt: null }],
      ['a description that is no text', { secondary_owner: 7 }, { description: '' }],
      ['revoked that is no boolean', { revoked: 'true' }, { revoked: false }],
    ];
    for (const [name, fields, expected] of odd) {
      it(`${name} as none`, async () => {
        const rows = (await listed({ tokens: [{ _id: ID, ...fields }] })) as object[];
        expect(rows[0]).to.deep.include(expected);
      });
    }

    const incomplete: [string, nock.Body][] = [
      ['a row without an id', { tokens: [{ _id: ID }, { secondary_owner: 'x' }] }],
      ['a row with an empty id', { tokens: [{ _id: '' }] }],
      ['a row that is null', { tokens: [null] }],
      ['a row that is a text', { tokens: ['x'] }],
      ['no tokens', {}],
      ['tokens that are no list', { tokens: {} }],
      ['a bare list', []],
      ['no body', ''],
      ['HTML', '<html></html>'],
      ['JSON that ends early', '{"tokens":[{"_id":"a"}'],
    ];
    for (const [name, body] of incomplete) {
      it(`nothing when there is ${name}`, async () => {
        expect(await errorOf(listed(body))).to.include({ code: 'Unavailable', status: 200 });
      });
    }
  });
});
