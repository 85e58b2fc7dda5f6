import { expect } from 'chai';
import type { AccountCredentials, RegistryDirectory } from '../../../src/registry/directory.ts';
import { settle, type VirtualClock } from '../../support/virtual-clock.ts';
import { nock, useNock } from '../../support/nocked.ts';
import {
  aDirectory,
  ACCOUNT_ID,
  anAccount,
  anExchange,
  API_KEY,
  errorOf,
  IAM,
  NEVER,
  REGISTRY,
  type Observation,
  listOf,
  registryOf,
} from './support/registry-world.ts';

const FORM = {
  grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
  apikey: API_KEY,
};
const REFUSED = {
  context: { requestId: 'cGI3bGc-1', requestType: 'incoming.Identity_Token', locale: 'en_US' },
  errorCode: 'BXNIM0415E',
  errorMessage: 'Provided API key could not be found.',
  errorDetails: 'Provided API key could not be found.',
};
const UNAUTHORIZED = { code: 'CRG0009E', message: 'You are not authorized.', 'request-id': '1-2-3' };

/** Prepares the next answer to an exchange. */
function exchange(status: number, body: nock.Body, headers: nock.ReplyHeaders = {}): nock.Scope {
  return nock(IAM).post('/identity/token').reply(status, body, headers);
}

/** Prepares the next answer to a list, and expects it to be asked for with that access token. */
function listing(answer: Record<string, unknown>, status = 200, body: object = { tokens: [] }): nock.Scope {
  return nock(REGISTRY)
    .get('/api/v1/tokens')
    .matchHeader('authorization', `Bearer ${String(answer.access_token)}`)
    .reply(status, body);
}

/** What a session does, seen through the directory that keeps it. */
describe('IamSession', () => {
  useNock();

  let clock: VirtualClock;
  let directory: RegistryDirectory;
  let observed: Observation[];

  beforeEach(() => {
    ({ clock, directory, observed } = aDirectory());
  });

  const list = (account: AccountCredentials = anAccount(), signal = NEVER): Promise<unknown> =>
    listOf(registryOf(directory, account, 'us-south'), signal);
  const exchanges = (): number => observed.filter(({ operation }) => operation === 'exchange').length;

  it('sends the key as a form', async () => {
    nock(IAM, {
      reqheaders: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        'user-agent': 'registry-token-operator/1.2.3',
      },
      badheaders: ['authorization'],
    })
      .post('/identity/token', FORM)
      .reply(200, anExchange());
    expect(await directory.verify(anAccount(), NEVER)).to.deep.equal({ identity: ACCOUNT_ID });
    expect(observed).to.deep.equal([
      { account: 'default', region: '', operation: 'exchange', code: 200, milliseconds: 0 },
    ]);
  });

  it('keeps a path of the endpoint', async () => {
    nock('http://iam.example:8080').post('/base/identity/token').reply(200, anExchange());
    await directory.verify(
      anAccount({ spec: { ibmRegistryTokens: { iamEndpoint: 'http://iam.example:8080/base/' } } }),
      NEVER,
    );
  });

  it('refuses an endpoint that is no URL', async () => {
    expect(
      await errorOf(
        directory.verify(anAccount({ spec: { ibmRegistryTokens: { iamEndpoint: 'https://[' } } }), NEVER),
      ),
    ).to.include({
      code: 'InvalidRequest',
      message: 'endpoint https://[ is not an HTTP URL; correct it in the account',
    });
  });

  it('makes one exchange for many who ask at once', async () => {
    const answer = anExchange();
    exchange(200, answer);
    listing(answer).persist();
    await Promise.all(Array.from({ length: 10 }, () => list()));
    expect(exchanges()).to.equal(1);
    nock.cleanAll();
  });

  it('goes on for the others when one of them aborts', async () => {
    const answer = anExchange();
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    nock(IAM)
      .post('/identity/token')
      .reply(200, async () => {
        asked.resolve();
        await answered.promise;
        return answer;
      });
    listing(answer);
    const controller = new AbortController();
    const reason = new Error('enough');
    const leaving = list(anAccount(), controller.signal).catch((error: unknown) => error);
    const staying = list();
    await asked.promise;
    controller.abort(reason);
    expect(await leaving).to.equal(reason);
    answered.resolve();
    expect(await staying).to.deep.equal([]);
  });

  describe('renews', () => {
    it('at 80 % of the life behind the caller, who gets the old token', async () => {
      const [first, second] = [anExchange(), anExchange({}, { jti: '2' })];
      exchange(200, first);
      listing(first).persist();
      await list();
      await clock.advance(0.8 * 3_600_000 - 1);
      await list();
      expect(exchanges()).to.equal(1);
      await clock.advance(1);
      const renewal = exchange(200, second);
      await list();
      while (!renewal.isDone() || exchanges() < 2) await settle();
      nock.cleanAll();
      listing(second);
      await list();
      expect(exchanges()).to.equal(2);
    });

    it('before the next call when the token has 10 s left', async () => {
      const [first, second] = [anExchange(), anExchange({}, { jti: '2' })];
      exchange(200, first);
      listing(first);
      await list();
      await clock.advance(3_590_000);
      exchange(200, second);
      listing(second);
      await list();
    });

    it('by the life from the beginning of the request, whatever the clocks say', async () => {
      const [first, second] = [anExchange({ expires_in: 900, expiration: 1 }), anExchange({}, { jti: '2' })];
      exchange(200, first);
      listing(first).persist();
      await list();
      clock.jump(86_400_000);
      await list();
      clock.jump(-2 * 86_400_000);
      await list();
      expect(exchanges()).to.equal(1);
      nock.cleanAll();
      await clock.advance(890_000);
      exchange(200, second);
      listing(second);
      await list();
    });

    const date = 'Thu, 01 Jan 2026 12:00:00 GMT';
    for (const [name, headers, start] of [
      ["the server's clock", { Date: date }, '2026-01-01T12:00:00Z'],
      ['its own clock', {}, '2026-01-01T00:00:00Z'],
    ] as const) {
      it(`by the expiration against ${name} when that is all there is`, async () => {
        const expiration = Date.parse(start) / 1000 + 100;
        const [first, second] = [
          anExchange({ expires_in: undefined, expiration }),
          anExchange({}, { jti: '2' }),
        ];
        exchange(200, first, headers);
        listing(first);
        await list();
        await clock.advance(79_999);
        listing(first);
        await list();
        expect(exchanges()).to.equal(1);
        await clock.advance(10_001);
        exchange(200, second);
        listing(second);
        await list();
      });
    }

    it('not again soon when that failed, while the old token lives', async () => {
      const [first, second] = [anExchange({ expires_in: 1000 }), anExchange({}, { jti: '2' })];
      exchange(200, first);
      listing(first).persist();
      await list();
      await clock.advance(800_000);
      exchange(503, 'no');
      await list();
      while (exchanges() < 2) await settle();
      await clock.advance(4_999);
      await list();
      expect(exchanges()).to.equal(2);
      await clock.advance(1);
      exchange(200, second);
      await list();
      while (exchanges() < 3) await settle();
      nock.cleanAll();
    });
  });

  describe('after a refusal', () => {
    it('does not show the same key again for a minute', async () => {
      exchange(400, REFUSED, { 'Transaction-Id': 'header-id' });
      const error = await errorOf(directory.verify(anAccount(), NEVER));
      expect(error).to.deep.include({
        code: 'Unauthorized',
        status: 400,
        registryCode: 'BXNIM0415E',
        requestId: 'cGI3bGc-1',
        retryable: false,
      });
      expect(error.message).to.equal(
        'could not exchange the API key for an access token at iam.cloud.ibm.com: the server answered 400 BXNIM0415E ' +
          '"Provided API key could not be found." (request cGI3bGc-1); the API key was not found: correct the credentials Secret',
      );
      await clock.advance(59_999);
      expect(await errorOf(list())).to.include({ code: 'Unauthorized' });
      expect(exchanges()).to.equal(1);
      await clock.advance(1);
      exchange(200, anExchange());
      await directory.verify(anAccount(), NEVER);
    });

    it('shows another key at once', async () => {
      exchange(400, REFUSED);
      await errorOf(directory.verify(anAccount(), NEVER));
      nock(IAM)
        .post('/identity/token', { ...FORM, apikey: 'another-key' })
        .reply(200, anExchange());
      await directory.verify(anAccount({ apiKey: 'another-key' }), NEVER);
    });

    const pauses: [string, number, Record<string, string>, number][] = [
      ['5 s when IAM is down', 503, {}, 5_000],
      ['5 s when IAM limits the rate', 429, {}, 5_000],
      ['as long as IAM asks', 429, { 'Retry-After': '30' }, 30_000],
      ['ten minutes at most', 429, { 'Retry-After': '7200' }, 600_000],
      ['a minute when IAM forbids it', 403, {}, 60_000],
    ];
    for (const [name, status, headers, pause] of pauses) {
      it(`leaves IAM alone for ${name}`, async () => {
        exchange(status, 'x', headers);
        const { code } = await errorOf(list());
        await clock.advance(pause - 1);
        expect(await errorOf(list())).to.include({ code });
        expect(exchanges()).to.equal(1);
        await clock.advance(1);
        exchange(200, anExchange());
        await directory.verify(anAccount(), NEVER);
      });
    }
  });

  describe('takes no answer for a token', () => {
    const answers: [string, nock.Body][] = [
      ['without one', anExchange({ access_token: undefined })],
      ['with something else', anExchange({ access_token: 7 })],
      ['with one that fits no header', anExchange({ access_token: 'two\r\nlines' })],
      ['with an empty one', anExchange({ access_token: '' })],
      ['without a lifetime', anExchange({ expires_in: undefined, expiration: undefined })],
      ['with a lifetime that is none', anExchange({ expires_in: '3600', expiration: -1 })],
      ['that is a list', []],
      ['that is null', 'null'],
      ['that is HTML', '<html></html>'],
      ['that ends early', '{"access_token":"abcdefgh'],
      ['that is empty', ''],
    ];
    for (const [name, body] of answers) {
      it(name, async () => {
        exchange(200, body);
        expect(await errorOf(directory.verify(anAccount(), NEVER))).to.include({
          code: 'Unavailable',
          status: 200,
        });
      });
    }
  });

  describe('finds the account', () => {
    it('in the access token', async () => {
      const answer = anExchange();
      exchange(200, answer);
      nock(REGISTRY).get('/api/v1/tokens').matchHeader('account', ACCOUNT_ID).reply(200, { tokens: [] });
      await list();
    });

    it('in the configuration before that', async () => {
      exchange(200, anExchange());
      nock(REGISTRY).get('/api/v1/tokens').matchHeader('account', 'configured').reply(200, { tokens: [] });
      const account = anAccount({
        spec: { ibmRegistryTokens: { iamEndpoint: IAM, accountId: 'configured' } },
      });
      await list(account);
      expect(await directory.verify(account, NEVER)).to.deep.equal({ identity: 'configured' });
    });

    const strange: [string, object][] = [
      ['names none', { account: undefined }],
      ['names null', { account: null }],
      ['names a number', { account: { bss: 7 } }],
      ['names what fits no header', { account: { bss: 'a\r\nb' } }],
    ];
    for (const [name, claims] of strange) {
      it(`nowhere when the token ${name}, and says what to do`, async () => {
        exchange(200, anExchange({}, claims));
        const expected = {
          code: 'InvalidRequest',
          message: 'the access token does not name an account: set accountId in the spec of the account',
        };
        expect(await errorOf(directory.verify(anAccount(), NEVER))).to.include(expected);
        expect(await errorOf(list())).to.include(expected);
      });
    }

    it('nowhere in a token that is no JWT', async () => {
      exchange(200, anExchange({ access_token: 'opaque-access-token' }));
      expect(await errorOf(directory.verify(anAccount(), NEVER))).to.include({ code: 'InvalidRequest' });
    });
  });

  describe('when the registry refuses its token', () => {
    it('gets another and tries once more', async () => {
      const [first, second] = [anExchange(), anExchange({}, { jti: '2' })];
      exchange(200, first);
      listing(first, 401, UNAUTHORIZED);
      exchange(200, second);
      listing(second);
      expect(await list()).to.deep.equal([]);
      expect(observed.map(({ operation, code }) => `${operation} ${code}`)).to.deep.equal([
        'exchange 200',
        'list 401',
        'exchange 200',
        'list 200',
      ]);
    });

    it('gets another also in place of one that it had got by itself a moment ago', async () => {
      const [first, second, third] = [
        anExchange(),
        anExchange({}, { jti: '2' }),
        anExchange({}, { jti: '3' }),
      ];
      exchange(200, first);
      listing(first).persist();
      await list();
      await clock.advance(0.8 * 3_600_000);
      exchange(200, second);
      await list();
      while (exchanges() < 2) await settle();
      await settle();
      nock.cleanAll();
      listing(second, 401, UNAUTHORIZED);
      exchange(200, third);
      listing(third);
      expect(await list()).to.deep.equal([]);
    });

    it('gives up when the other is refused too, and gets none for a minute', async () => {
      const [first, second] = [anExchange(), anExchange({}, { jti: '2' })];
      exchange(200, first);
      listing(first, 401, UNAUTHORIZED);
      exchange(200, second);
      listing(second, 401, UNAUTHORIZED);
      expect(await errorOf(list())).to.include({
        code: 'Unauthorized',
        status: 401,
        registryCode: 'CRG0009E',
      });
      await clock.advance(59_999);
      listing(second, 401, UNAUTHORIZED);
      expect(await errorOf(list())).to.include({ code: 'Unauthorized' });
      expect(exchanges()).to.equal(2);
      await clock.advance(1);
      const third = anExchange({}, { jti: '3' });
      listing(second, 401, UNAUTHORIZED);
      exchange(200, third);
      listing(third);
      await list();
    });

    it('says so when the key is not good for another', async () => {
      const first = anExchange();
      exchange(200, first);
      listing(first, 401, UNAUTHORIZED);
      exchange(400, REFUSED);
      expect(await errorOf(list())).to.include({ code: 'Unauthorized', registryCode: 'BXNIM0415E' });
      expect(await errorOf(directory.verify(anAccount(), NEVER)), 'though the token is young').to.include({
        registryCode: 'BXNIM0415E',
      });
    });

    it('makes one exchange for all whose request was refused', async () => {
      const [first, second] = [anExchange(), anExchange({}, { jti: '2' })];
      exchange(200, first);
      listing(first, 401, UNAUTHORIZED).persist();
      exchange(200, second);
      listing(second).persist();
      await Promise.all([list(), list(), list()]);
      expect(exchanges()).to.equal(2);
      nock.cleanAll();
    });
  });

  it('asks IAM to prove a key, unless it did within the last minute', async () => {
    exchange(200, anExchange());
    await directory.verify(anAccount(), NEVER);
    await clock.advance(59_999);
    await directory.verify(anAccount(), NEVER);
    expect(exchanges()).to.equal(1);
    await clock.advance(1);
    exchange(400, REFUSED);
    expect(await errorOf(directory.verify(anAccount(), NEVER))).to.include({ code: 'Unauthorized' });
  });

  it('uses a token to its end when the key ceased to be good', async () => {
    const answer = anExchange();
    exchange(200, answer);
    await directory.verify(anAccount(), NEVER);
    await clock.advance(60_000);
    exchange(400, REFUSED);
    await errorOf(directory.verify(anAccount(), NEVER));
    listing(answer);
    expect(await list()).to.deep.equal([]);
  });
});
