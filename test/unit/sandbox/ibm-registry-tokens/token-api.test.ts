import { expect } from 'chai';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as fc from 'fast-check';
import type { TokenService } from '../../../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import {
  ACCOUNT,
  bodyOf,
  call,
  fixture,
  HOST,
  HOUR,
  mint,
  OTHER_ACCOUNT,
  OTHER_KEY,
  signIn,
  START,
} from './fixture.ts';

const TOKENS = '/api/v1/tokens';
const DAY = 24 * HOUR;
const REQUEST_ID = /^\d+-\d+\.\d{3}-\d+$/;

type Headers = Record<string, string>;

async function listed(service: TokenService, headers: Headers): Promise<Record<string, unknown>[]> {
  const answer = await call(service, 'GET', TOKENS, { headers });
  expect(answer.status).to.equal(200);
  return bodyOf(answer).tokens as Record<string, unknown>[];
}

function sevens(size: number): Uint8Array {
  return new Uint8Array(size).fill(7);
}

function idOf(value: string): string {
  return String(decodeJwt(value).jti);
}

describe('token service: the token API of 2017', () => {
  describe('create', () => {
    it('gives a read-only token for 24 hours unless asked for more', async () => {
      const { service } = fixture();
      const headers = await signIn(service);
      const answer = await call(service, 'POST', TOKENS, { headers });
      expect(answer.status).to.equal(200);
      expect(Object.keys(bodyOf(answer))).to.deep.equal(['token']);
      const value = String(bodyOf(answer).token);
      expect(decodeProtectedHeader(value)).to.deep.equal({ alg: 'HS256', typ: 'JWT' });
      const claims = decodeJwt(value);
      expect(claims).to.have.all.keys('exp', 'jti', 'iss');
      expect(claims).to.include({ iss: HOST, exp: (START + DAY) / 1000 });
      expect(claims.jti).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(service.tokens()).to.deep.equal([
        {
          id: claims.jti,
          account: ACCOUNT,
          description: '',
          access: 'ReadOnly',
          issuedAt: START,
          expiresAt: START + DAY,
        },
      ]);
    });

    it('leaves exp out of a permanent token', async () => {
      const { service } = fixture();
      const value = await mint(service, await signIn(service), '?permanent=true');
      expect(decodeJwt(value)).to.have.all.keys('jti', 'iss');
      expect(service.tokens()[0]).to.include({ expiresAt: null });
    });

    it('takes the lifetime it was started with', async () => {
      const { service } = fixture({ tokenLifetime: 90_000 });
      const value = await mint(service, await signIn(service));
      expect(decodeJwt(value).exp).to.equal((START + 90_000) / 1000);
    });

    it('reads its parameters from the query and not from a body', async () => {
      const { service } = fixture();
      const headers = { ...(await signIn(service)), 'content-type': 'application/json' };
      const body = JSON.stringify({ permanent: true, write: true, description: 'from the body' });
      await call(service, 'POST', TOKENS, { headers, body });
      expect(service.tokens()[0]).to.include({
        access: 'ReadOnly',
        description: '',
        expiresAt: START + DAY,
      });
    });

    it('keeps any description, write and permanent as asked', async () => {
      const { service } = fixture();
      const headers = await signIn(service);
      await fc.assert(
        fc.asyncProperty(
          fc.string({ unit: 'grapheme' }),
          fc.boolean(),
          fc.boolean(),
          async (description, write, permanent) => {
            const query = new URLSearchParams({
              description,
              write: String(write),
              permanent: String(permanent),
            });
            const id = idOf(await mint(service, headers, `?${query.toString()}`));
            const token = service.tokens().find((one) => one.id === id);
            expect(token).to.include({ description, access: write ? 'ReadWrite' : 'ReadOnly' });
            expect(token?.expiresAt === null).to.equal(permanent);
          },
        ),
        { numRuns: 50 },
      );
    });

    for (const query of ['write=yes', 'permanent=1', 'write=TRUE']) {
      it(`refuses ${query} and makes nothing`, async () => {
        const { service } = fixture();
        const headers = await signIn(service);
        const answer = await call(service, 'POST', `${TOKENS}?${query}`, { headers });
        expect(answer.status).to.equal(400);
        expect(bodyOf(answer)).to.have.all.keys('code', 'message', 'request-id');
        expect(service.tokens()).to.be.empty;
      });
    }
  });

  describe('list', () => {
    it('has the documented fields, and no expiry for a permanent token', async () => {
      const { service } = fixture();
      const headers = await signIn(service);
      const expiring = await mint(service, headers, '?description=one&write=true');
      const permanent = await mint(service, headers, '?description=two&permanent=true');
      expect(await listed(service, headers)).to.deep.equal([
        {
          _id: idOf(expiring),
          owner: ACCOUNT,
          token: expiring,
          secondary_owner: 'one',
          readonly: false,
          revoked: false,
          expiry: (START + DAY) / 1000,
        },
        {
          _id: idOf(permanent),
          owner: ACCOUNT,
          token: permanent,
          secondary_owner: 'two',
          readonly: true,
          revoked: false,
        },
      ]);
    });

    it('shows an account its own tokens only', async () => {
      const { service } = fixture();
      const headers = await signIn(service);
      const others = await signIn(service, OTHER_KEY, OTHER_ACCOUNT);
      const value = await mint(service, headers);
      expect(await listed(service, others)).to.be.empty;
      const id = idOf(value);
      expect((await call(service, 'GET', `${TOKENS}/${id}`, { headers: others })).status).to.equal(404);
      expect((await call(service, 'DELETE', `${TOKENS}/${id}`, { headers: others })).status).to.equal(404);
      expect(service.tokens()).to.have.length(1);
    });

    it('loses tokens as they expire', async () => {
      const { service, clock } = fixture({ tokenLifetime: 60_000 });
      const headers = await signIn(service);
      const expired: string[] = [];
      service.on('expired', ({ id }) => expired.push(id));
      const first = await mint(service, headers);
      await clock.advance(30_000);
      const second = await mint(service, headers);
      await clock.advance(29_999);
      expect(await listed(service, headers)).to.have.length(2);
      await clock.advance(1);
      expect((await listed(service, headers)).map(({ _id: id }) => id)).to.deep.equal([idOf(second)]);
      expect((await call(service, 'GET', `${TOKENS}/${idOf(first)}`, { headers })).status).to.equal(404);
      expect(expired).to.deep.equal([idOf(first)]);
    });
  });

  describe('get and delete', () => {
    it('reads a value back', async () => {
      const { service } = fixture();
      const headers = await signIn(service);
      const value = await mint(service, headers);
      const answer = await call(service, 'GET', `${TOKENS}/${idOf(value)}`, { headers });
      expect(answer.status).to.equal(200);
      expect(bodyOf(answer)).to.deep.equal({ token: value });
    });

    it('deletes one', async () => {
      const { service } = fixture();
      const headers = await signIn(service);
      const id = idOf(await mint(service, headers));
      await mint(service, headers);
      const answer = await call(service, 'DELETE', `${TOKENS}/${id}`, { headers });
      expect([answer.status, answer.body]).to.deep.equal([200, '']);
      expect(service.tokens()).to.have.length(1);
    });

    for (const method of ['GET', 'DELETE']) {
      it(`answers ${method} of an unknown id with 404 in the shape of the registry`, async () => {
        const { service } = fixture();
        const headers = await signIn(service);
        const answer = await call(service, method, `${TOKENS}/ae57b394-e39d-595f-ae5d-e46905285df6`, {
          headers,
        });
        expect(answer.status).to.equal(404);
        expect(bodyOf(answer)).to.have.all.keys('code', 'message', 'request-id');
      });
    }

    it('deletes all of a description, and only of the own account', async () => {
      const { service } = fixture();
      const headers = await signIn(service);
      const others = await signIn(service, OTHER_KEY, OTHER_ACCOUNT);
      for (const description of ['a%20b', 'a%20b', 'c']) {
        await mint(service, headers, `?description=${description}`);
      }
      await mint(service, others, '?description=a%20b');
      const answer = await call(service, 'DELETE', `${TOKENS}?secondaryOwner=a%20b`, { headers });
      expect(answer.status).to.equal(200);
      expect(service.tokens().map(({ account, description }) => [account, description])).to.deep.equal([
        [ACCOUNT, 'c'],
        [OTHER_ACCOUNT, 'a b'],
      ]);
    });

    it('is content when no token has the description', async () => {
      const { service } = fixture();
      const headers = await signIn(service);
      const answer = await call(service, 'DELETE', `${TOKENS}?secondaryOwner=none`, { headers });
      expect(answer.status).to.equal(200);
    });

    for (const query of ['', '?secondaryOwner=', '?description=a']) {
      it(`deletes nothing without a secondaryOwner (${query || 'no query'})`, async () => {
        const { service } = fixture();
        const headers = await signIn(service);
        await mint(service, headers);
        const answer = await call(service, 'DELETE', `${TOKENS}${query}`, { headers });
        expect(answer.status).to.equal(400);
        expect(service.tokens()).to.have.length(1);
      });
    }
  });

  describe('authorization', () => {
    const requests = [
      ['GET', TOKENS],
      ['POST', TOKENS],
      ['DELETE', `${TOKENS}?secondaryOwner=a`],
      ['GET', `${TOKENS}/ae57b394-e39d-595f-ae5d-e46905285df6`],
      ['DELETE', `${TOKENS}/ae57b394-e39d-595f-ae5d-e46905285df6`],
    ] as const;
    const spoilt: [string, (headers: Headers) => Headers][] = [
      ['no Authorization', ({ account }) => ({ account: account! })],
      ['no Account', ({ authorization }) => ({ authorization: authorization! })],
      ['the Account of somebody else', (headers) => ({ ...headers, account: OTHER_ACCOUNT })],
      ['another scheme', (headers) => ({ ...headers, authorization: 'Basic dG9rZW46eA==' })],
      ['no JWT', (headers) => ({ ...headers, authorization: 'Bearer abc' })],
      ['claims that are no JSON', (headers) => ({ ...headers, authorization: 'Bearer e30.bm9uZQ.x' })],
      [
        'a forged claim',
        (headers) => {
          const [header, , signature] = headers.authorization!.split('.');
          const claims = Buffer.from(JSON.stringify({ account: { bss: ACCOUNT } })).toString('base64url');
          return { ...headers, authorization: `${header}.${claims}.${signature}` };
        },
      ],
      [
        'a cut signature',
        (headers) => ({ ...headers, authorization: headers.authorization!.replace(/\.[^.]*$/, '.') }),
      ],
    ];
    for (const [what, spoil] of spoilt) {
      it(`answers ${what} with 401 CRG0009E, everywhere, and changes nothing`, async () => {
        const { service } = fixture();
        const good = await signIn(service);
        await mint(service, good, '?description=a');
        for (const [method, path] of requests) {
          const answer = await call(service, method, path, { headers: spoil(good) });
          expect(answer.status, `${method} ${path}`).to.equal(401);
          expect(bodyOf(answer)).to.include({
            code: 'CRG0009E',
            message: 'You are not authorized to access the specified account.',
          });
          expect(bodyOf(answer)['request-id']).to.match(REQUEST_ID);
        }
        expect(service.tokens()).to.have.length(1);
      });
    }

    it('gives each refusal a request id of its own', async () => {
      const { service } = fixture();
      const ids = await Promise.all(
        [1, 2, 3].map(async () => bodyOf(await call(service, 'GET', TOKENS))['request-id']),
      );
      expect(new Set(ids).size).to.equal(3);
    });
  });

  describe('paths', () => {
    const unknown = ['/', '/api/v1/tokens/', '/api/v1/tokens/a/b', '/api/v1/token', '/%', '//', '/_faults'];
    for (const path of unknown) {
      it(`answers ${path} with 404`, async () => {
        const { service } = fixture();
        expect((await call(service, 'GET', path)).status).to.equal(404);
      });
    }

    it('answers other methods with 405 and says which there are', async () => {
      const { service } = fixture();
      const collection = await call(service, 'PUT', TOKENS);
      expect([collection.status, collection.headers.allow]).to.deep.equal([405, 'GET, POST, DELETE']);
      const one = await call(service, 'POST', `${TOKENS}/x`);
      expect([one.status, one.headers.allow]).to.deep.equal([405, 'GET, DELETE']);
    });
  });

  describe('what others can see', () => {
    it('tells of every exchange, issue, revocation and answer, and of no value', async () => {
      const { service, clock } = fixture();
      const told: [string, unknown][] = [];
      service.on('exchanged', (event) => told.push(['exchanged', event]));
      service.on('issued', (event) => told.push(['issued', event]));
      service.on('revoked', (event) => told.push(['revoked', event]));
      service.on('answered', (event) => told.push(['answered', event]));
      const headers = await signIn(service);
      const value = await mint(service, headers, '?description=mine');
      await clock.advance(1000);
      await call(service, 'DELETE', `${TOKENS}/${idOf(value)}`, { headers });
      const token = {
        id: idOf(value),
        account: ACCOUNT,
        description: 'mine',
        access: 'ReadOnly',
        issuedAt: START,
        expiresAt: START + DAY,
      };
      expect(told).to.deep.equal([
        ['exchanged', { time: START, account: ACCOUNT, expiresAt: START + HOUR }],
        ['answered', { time: START, operation: 'exchange', status: 200 }],
        ['issued', { time: START, ...token }],
        ['answered', { time: START, operation: 'mint', status: 200 }],
        ['revoked', { time: START + 1000, ...token }],
        ['answered', { time: START + 1000, operation: 'revoke', status: 200 }],
      ]);
      const seen = JSON.stringify([told, service.tokens()]);
      const secrets = [value, headers.authorization!.slice('Bearer '.length)];
      expect(service.values()).to.have.members(secrets);
      for (const secret of secrets) expect(seen).to.not.include(secret);
    });

    it('dates answers by its own clock', async () => {
      const { service } = fixture();
      expect((await call(service, 'GET', TOKENS)).headers.date).to.equal('Thu, 01 Jan 2026 00:00:00 GMT');
    });

    it('makes the same ids from the same randomness', async () => {
      const values = await Promise.all(
        [1, 2].map(async () => {
          const { service } = fixture({ random: sevens });
          return mint(service, await signIn(service));
        }),
      );
      expect(values[0]).to.equal(values[1]);
    });
  });

  it('never loses, invents or mixes up tokens, whatever the order of requests', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('mint'), permanent: fc.boolean() }),
      fc.record({ kind: fc.constant('delete'), index: fc.nat(20) }),
      fc.record({ kind: fc.constant('wait'), minutes: fc.nat(12 * 60) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { service, clock } = fixture();
        const model = new Map<string, number>();
        for (const one of steps) {
          const headers = await signIn(service);
          if ('permanent' in one) {
            const value = await mint(service, headers, `?permanent=${one.permanent}`);
            model.set(idOf(value), one.permanent ? Infinity : clock.now() + DAY);
          } else if ('index' in one) {
            const id = [...model.keys()][one.index % (model.size || 1)] ?? 'none';
            const answer = await call(service, 'DELETE', `${TOKENS}/${id}`, { headers });
            expect(answer.status).to.equal((model.get(id) ?? 0) > clock.now() ? 200 : 404);
            model.delete(id);
          } else {
            await clock.advance(one.minutes * 60_000);
          }
          const alive = [...model].filter(([, expiry]) => expiry > clock.now()).map(([id]) => id);
          const rows = await listed(service, await signIn(service));
          expect(rows.map(({ _id: id }) => id)).to.deep.equal(alive);
        }
      }),
      { numRuns: 30 },
    );
  });
});
