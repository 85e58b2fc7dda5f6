import { expect } from 'chai';
import { inspect } from 'node:util';
import type { Socket } from 'node:net';
import type { RegistryError } from '../../../src/registry/errors.ts';
import type { Registry } from '../../../src/registry/port.ts';
import { aJwt } from './support/jwt.ts';
import { listen, wire } from './support/loopback.ts';
import { nock, useNock } from '../../support/nocked.ts';
import {
  aDirectory,
  ACCOUNT_ID,
  anAccount,
  anExchange,
  aRequest,
  API_KEY,
  errorOf,
  IAM,
  NEVER,
  REGISTRY,
  listOf,
  registryOf,
} from './support/registry-world.ts';

const ACCESS_TOKEN = aJwt({ account: { bss: ACCOUNT_ID }, jti: 'access' });
const TOKEN = aJwt({ jti: 'the-token' });
/** A token whose claims can't be read. */
const BROKEN = `${TOKEN.split('.')[0]}.bm8ganNvbiBhdCBhbGw.c2lnbmF0dXJl`;
const SECRETS = [API_KEY, ACCESS_TOKEN, TOKEN, BROKEN];

/** Everything that a log, an event or a crash could print of an error. */
function printed(error: RegistryError): string {
  return [
    error.message,
    error.stack,
    String(error),
    JSON.stringify(error),
    JSON.stringify(Object.entries(error)),
    inspect(error, { depth: 20, showHidden: true, getters: true }),
  ].join('\n');
}

function expectNoSecret(error: RegistryError): void {
  const text = printed(error);
  const found = SECRETS.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ '': secret }).toString().slice(1),
    Buffer.from(secret).toString('base64'),
    ...(secret.includes('.') ? secret.split('.').slice(0, 2) : []),
  ]).filter((form) => text.includes(form));
  expect(found.length, 'secrets in what an error prints').to.equal(0);
}

/** A body that echoes everything that was sent, in every field that is read. */
function echoes(secret: string): [string, nock.Body][] {
  const form = new URLSearchParams({ apikey: secret }).toString();
  const text = `bad key ${secret}, sent as ${form} and ${Buffer.from(secret).toString('base64')}`;
  return [
    ['registry', { code: secret, message: text, 'request-id': secret }],
    ['Docker V2', { errors: [{ code: secret, message: text, detail: text }] }],
    [
      'IAM token',
      { context: { requestId: secret }, errorCode: secret, errorMessage: text, errorDetails: text },
    ],
    ['IAM identity', { errors: [{ message_code: secret, message: text, details: text }], trace: secret }],
    ['HTML', `<html>${text}</html>`],
    ['text', text],
    ['JSON that ends early', `{"message":"${secret}`],
  ];
}

const headers = (secret: string): Record<string, string> => ({
  'Transaction-Id': encodeURIComponent(secret),
  'Retry-After': encodeURIComponent(secret),
  Location: `https://${encodeURIComponent(secret).replaceAll('%', '')}.example/${encodeURIComponent(secret)}`,
});

describe('no error holds a key or token', () => {
  describe('of an answer that echoes them', () => {
    useNock();

    const statuses = [200, 302, 400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 502, 503, 504];
    for (const status of statuses) {
      for (const [shape, body] of echoes(API_KEY)) {
        it(`${status} ${shape} from IAM`, async () => {
          nock(IAM).post('/identity/token').reply(status, body, headers(API_KEY));
          expectNoSecret(await errorOf(aDirectory().directory.verify(anAccount(), NEVER)));
        });
      }

      for (const secret of [API_KEY, ACCESS_TOKEN, TOKEN]) {
        for (const [shape, body] of echoes(secret)) {
          it(`${status} ${shape} from the registry, secret ${SECRETS.indexOf(secret)}`, async () => {
            nock(IAM)
              .post('/identity/token')
              .reply(200, anExchange({ access_token: ACCESS_TOKEN }))
              .persist();
            nock(REGISTRY)
              .post(/^\/api\/v1\/tokens/)
              .reply(status, body, headers(secret))
              .persist();
            const registry = registryOf(aDirectory().directory);
            expectNoSecret(await errorOf(mint(registry)));
            nock.cleanAll();
          });
        }
      }
    }

    const unreadable: [string, nock.Body][] = [
      ['a token that can not be decoded', { token: BROKEN }],
      ['a token with four parts', { token: `${TOKEN}.x` }],
      ['a token in another field', { value: TOKEN }],
      ['a list of tokens without ids', { tokens: [{ token: TOKEN }] }],
    ];
    for (const [name, body] of unreadable) {
      it(`200 with ${name}`, async () => {
        nock(IAM)
          .post('/identity/token')
          .reply(200, anExchange({ access_token: ACCESS_TOKEN }));
        nock(REGISTRY)
          .post(/^\/api\/v1\/tokens/)
          .reply(200, body);
        nock(REGISTRY)
          .get(/^\/api\/v1\/tokens/)
          .twice()
          .reply(200, body);
        const registry = registryOf(aDirectory().directory);
        for (const asking of [mint(registry), registry.read('id', NEVER), listOf(registry)]) {
          expectNoSecret(await errorOf(asking));
        }
      });
    }
  });

  describe('of a connection that breaks', () => {
    const exchanged = wire(200, JSON.stringify(anExchange({ access_token: ACCESS_TOKEN })));
    const endings: [string, (socket: Socket) => void][] = [
      ['at once', (socket) => socket.resetAndDestroy()],
      ['in the status line', (socket) => socket.end('HTTP/1.1 2')],
      ['in the headers', (socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${TOKEN}`)],
      ['in the body', (socket) => socket.end(wire(200, `{"token":"${TOKEN}"`, { 'Content-Length': '9999' }))],
      [
        'in a body that is not chunked as it says',
        (socket) => socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${TOKEN}`),
      ],
      ['after something else than HTTP', (socket) => socket.end(`{"token":"${TOKEN}"}`)],
      [
        'after headers that are too long',
        (socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${TOKEN.repeat(400)}\r\n\r\n`),
      ],
    ];
    for (const [name, end] of endings) {
      it(name, async () => {
        const iam = await listen(end);
        const iamThatWorks = await listen((socket) => socket.end(exchanged));
        const api = await listen(end);
        const regions = [{ name: 'lab', host: 'lab.example', endpoint: api.origin }];
        const broken = anAccount({ spec: { ibmRegistryTokens: { iamEndpoint: iam.origin }, regions } });
        const working = anAccount({
          spec: { ibmRegistryTokens: { iamEndpoint: iamThatWorks.origin }, regions },
        });
        const { directory } = aDirectory();
        const exchange = await errorOf(directory.verify(broken, NEVER));
        const minting = await errorOf(mint(directory.registry(working, 'lab')));
        await Promise.all([iam.close(), iamThatWorks.close(), api.close()]);
        expect(exchange.code).to.equal('Unavailable');
        expect(minting.code).to.equal('Ambiguous');
        expectNoSecret(exchange);
        expectNoSecret(minting);
      });
    }

    it('before it stands', async () => {
      const nobody = await listen(() => {});
      await nobody.close();
      const iam = await listen((socket) => socket.end(exchanged));
      const regions = [{ name: 'lab', host: 'lab.example', endpoint: nobody.origin }];
      const account = anAccount({ spec: { ibmRegistryTokens: { iamEndpoint: iam.origin }, regions } });
      const error = await errorOf(mint(aDirectory().directory.registry(account, 'lab')));
      await iam.close();
      expect(error.code, 'nothing was sent').to.equal('Unavailable');
      expectNoSecret(error);
    });
  });
});

function mint(registry: Registry): Promise<unknown> {
  return registry.issue(aRequest({ lifetime: 'Never' }), NEVER);
}
