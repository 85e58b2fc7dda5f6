import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createSelfSigned } from '../../../sandbox/self-signed-certificate.ts';
import { NoAnswer } from '../../../src/registry/http/answer-reader.ts';
import { HttpClient, type HttpRequest } from '../../../src/registry/http/http-client.ts';
import type { HttpAnswer } from '../../../src/registry/http/answer.ts';
import { SlowHandshake } from '../../support/slow-handshake.ts';
import { settle, VirtualClock } from '../../support/virtual-clock.ts';
import { listen, wire, type Loopback } from './support/loopback.ts';

const NEVER = new AbortController().signal;

function request(base: string, part: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'POST', url: new URL('/path?a=b%20c', base), headers: { Accept: 'x/y' }, ...part };
}

async function failure(sending: Promise<unknown>): Promise<NoAnswer> {
  const error = await sending.then(
    () => new Error('it was answered'),
    (reason: unknown) => reason,
  );
  if (error instanceof NoAnswer) return error;
  throw error;
}

describe('HttpClient', () => {
  let server: Loopback | undefined;
  let clock: VirtualClock;
  let client: HttpClient;

  beforeEach(() => {
    clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'));
    client = new HttpClient({ clock, userAgent: 'agent/1', timeout: 30_000 });
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  async function answerTo(answer: string | ((socket: Socket) => void)): Promise<HttpAnswer> {
    server = await listen((socket) => (typeof answer === 'string' ? socket.end(answer) : answer(socket)));
    return client.send(request(server.origin), NEVER);
  }

  it('sends method, path, query, headers and body as they are', async () => {
    server = await listen((socket) => socket.end(wire(200, '{}')));
    await client.send(request(server.origin, { body: 'a=b' }), NEVER);
    const [head = '', body] = (server.received[0] ?? '').split('\r\n\r\n');
    expect(head.split('\r\n')[0]).to.equal('POST /path?a=b%20c HTTP/1.1');
    expect(head.toLowerCase().split('\r\n')).to.include.members(['accept: x/y', 'user-agent: agent/1']);
    expect(body).to.equal('a=b');
  });

  it('waits for a handshake that takes a second, though there is another address that can not be reached', async () => {
    await using far = await SlowHandshake.start();
    expect(await client.send(request(far.origin), NEVER)).to.include({ status: 200 });
  });

  describe('a registry whose certificate an authority of its own signed', () => {
    let secure: Server;
    let caBundle: string;
    before(async () => {
      const { key, certificate } = await createSelfSigned('localhost', Date.now(), ['localhost']);
      caBundle = certificate;
      secure = createServer({ key, cert: certificate }, (_, response) => response.end('{}')).listen(0);
      await once(secure, 'listening');
    });
    after(() => {
      secure.close();
      secure.closeAllConnections();
    });
    const origin = (): string => `https://localhost:${(secure.address() as AddressInfo).port}`;

    it('is trusted by a client that was given the authority, and by no other', async () => {
      const trusting = new HttpClient({ clock, userAgent: 'agent/1', timeout: 30_000, caBundle });
      expect(await trusting.send(request(origin()), NEVER)).to.include({ status: 200 });
      expect((await failure(client.send(request(origin()), NEVER))).message).to.match(/SELF_SIGNED/);
    });

    it('is not trusted by one that was given another authority', async () => {
      const other = (await createSelfSigned('localhost', Date.now(), ['localhost'])).certificate;
      const wary = new HttpClient({ clock, userAgent: 'agent/1', timeout: 30_000, caBundle: other });
      expect((await failure(wary.send(request(origin()), NEVER))).message).to.match(/SELF_SIGNED/);
    });
  });

  it('says with a POST without a body that there is none', async () => {
    await answerTo(wire(200, '{}'));
    expect(server?.received[0]?.toLowerCase()).to.include('content-length: 0');
  });

  describe('reads an answer', () => {
    const json = { 'Content-Type': 'application/json' };
    const html = { 'Content-Type': 'text/html; charset=utf-8' };
    const bodies: [string, string, Partial<HttpAnswer>][] = [
      ['JSON', wire(200, '{"a":1}', json), { status: 200, json: { a: 1 }, flaw: undefined }],
      ['JSON that does not say so', wire(201, ' [1]\n'), { status: 201, json: [1], flaw: undefined }],
      ['JSON in an error', wire(503, '{"a":1}'), { status: 503, json: { a: 1 }, flaw: undefined }],
      ['HTML', wire(404, 'iam-gateway', html), { status: 404, json: undefined, flaw: 'is HTML' }],
      ['HTML that does not say so', wire(502, '<html>'), { json: undefined, flaw: 'is HTML' }],
      ['text', wire(500, 'Internal Error'), { status: 500, json: undefined, flaw: 'is not JSON' }],
      ['JSON that ends early', wire(200, '{"token":"ab'), { json: undefined, flaw: 'is not JSON' }],
      ['nothing', wire(200, ''), { json: undefined, flaw: 'has no body' }],
      ['204', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, json: undefined, flaw: 'has no body' }],
      ['blanks', wire(200, ' \n'), { json: undefined, flaw: 'has no body' }],
      ['a redirect', wire(302, '', { Location: 'https://elsewhere/' }), { status: 302 }],
      [
        'a connection that breaks in the body',
        wire(200, '{"a"', { 'Content-Length': '99' }),
        { status: 200, json: undefined, flaw: 'is cut off' },
      ],
      [
        'too much',
        wire(200, `"${'x'.repeat(2 ** 20)}"`),
        { status: 200, json: undefined, flaw: 'is too long' },
      ],
      [
        'an interim answer before',
        `HTTP/1.1 103 Early Hints\r\n\r\n${wire(200, '1')}`,
        { status: 200, json: 1, flaw: undefined },
      ],
    ];
    for (const [name, bytes, expected] of bodies) {
      it(`with ${name}`, async () => {
        expect(await answerTo(bytes)).to.deep.include(expected);
      });
    }

    it('as long as the request allows', async () => {
      server = await listen((socket) => socket.end(wire(200, '"12345"')));
      const send = (maxBody: number): Promise<HttpAnswer> =>
        client.send(request(server?.origin ?? '', { maxBody }), NEVER);
      expect((await send(7)).json).to.equal('12345');
      expect((await send(6)).flaw).to.equal('is too long');
    });

    const pauses: [string, Record<string, string>, number | undefined][] = [
      ['none', {}, undefined],
      ['seconds', { 'Retry-After': '120' }, 120_000],
      ['no seconds', { 'Retry-After': '0' }, 0],
      ['a date', { 'Retry-After': 'Thu, 01 Jan 2026 00:01:00 GMT' }, 60_000],
      [
        'a date by the clock of the server',
        { 'Retry-After': 'Thu, 01 Jan 2026 00:01:00 GMT', Date: 'Thu, 01 Jan 2026 00:00:55 GMT' },
        5_000,
      ],
      ['a date that has passed', { 'Retry-After': 'Wed, 31 Dec 2025 23:59:00 GMT' }, 0],
      ['more than a day', { 'Retry-After': '99999999999999999999999' }, 86_400_000],
      ['a fraction', { 'Retry-After': '1.5' }, undefined],
      ['a negative number', { 'Retry-After': '-1' }, undefined],
      ['words', { 'Retry-After': 'soon GMT' }, undefined],
    ];
    for (const [name, headers, retryAfter] of pauses) {
      it(`that asks to wait: ${name}`, async () => {
        expect(await answerTo(wire(429, '', headers))).to.include({ status: 429, retryAfter });
      });
    }

    it("with the request's id and the server's time", async () => {
      const headers = { 'Transaction-Id': 'abc', Date: 'Thu, 01 Jan 2026 00:00:55 GMT' };
      expect(await answerTo(wire(200, '', headers))).to.include({
        requestId: 'abc',
        serverTime: Date.parse('2026-01-01T00:00:55Z'),
      });
      await server?.close();
      expect(await answerTo(wire(200, '', { Date: 'whenever' }))).to.include({
        requestId: undefined,
        serverTime: undefined,
      });
    });
  });

  describe('knows that nothing was sent', () => {
    it('when the connection is refused', async () => {
      server = await listen(() => {});
      const { origin } = server;
      await server.close();
      server = undefined;
      expect(await failure(client.send(request(origin), NEVER))).to.include({
        sent: false,
        message: 'ECONNREFUSED',
      });
    });

    it('when there is no such host', async () => {
      const error = await failure(client.send(request('http://registry.invalid'), NEVER));
      expect(error.sent).to.equal(false);
      expect(error.message).to.be.oneOf(['ENOTFOUND', 'EAI_AGAIN']);
    });

    it('when TLS fails', async () => {
      server = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      const error = await failure(client.send(request(`https://127.0.0.1:${server.port}`), NEVER));
      expect(error.sent).to.equal(false);
      expect(error.message).to.match(/^(ERR_SSL_|EPROTO)/);
    });

    it('when the time is up before the connection stands', async () => {
      server = await listen(() => {});
      const sending = failure(client.send(request(`https://127.0.0.1:${server.port}`), NEVER));
      await clock.advance(30_000);
      expect(await sending).to.include({ sent: false, message: 'there was no answer in time' });
    });
  });

  describe('knows that the request may have arrived', () => {
    const endings: [string, (socket: Socket) => void, string][] = [
      ['hangs up', (socket) => socket.end(), 'UND_ERR_SOCKET'],
      ['resets the connection', (socket) => socket.resetAndDestroy(), 'ECONNRESET'],
      ['answers something else than HTTP', (socket) => socket.end('SSH-2.0-x\r\n'), 'HTTPParserError'],
      ['ends in the status line', (socket) => socket.end('HTTP/1.1 2'), 'UND_ERR_SOCKET'],
    ];
    for (const [name, answer, message] of endings) {
      it(`when the server ${name}`, async () => {
        expect(await failure(answerTo(answer))).to.include({ sent: true, message });
        expect(server?.received).to.have.length(1);
      });
    }

    it('when the time is up', async () => {
      const arrived = Promise.withResolvers<void>();
      const sending = failure(answerTo(() => arrived.resolve()));
      await arrived.promise;
      await clock.advance(29_999);
      let ended = false;
      void sending.finally(() => (ended = true));
      await settle();
      expect(ended).to.equal(false);
      await clock.advance(1);
      expect(await sending).to.include({ sent: true, message: 'there was no answer in time' });
    });
  });

  it('takes a status for an answer when the time is up in the body', async () => {
    const begun = Promise.withResolvers<void>();
    const sending = answerTo((socket) => {
      socket.write(wire(401, '{', { 'Content-Length': '99' }), () => setImmediate(begun.resolve));
    });
    await begun.promise;
    await settle();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await clock.advance(30_000);
    expect(await sending).to.include({ status: 401, flaw: 'is cut off' });
  });

  describe('throws the reason of the signal', () => {
    const reason = new Error('not wanted any more');

    it('that aborted before', async () => {
      server = await listen(() => {});
      const sending = client.send(request(server.origin), AbortSignal.abort(reason));
      expect(await sending.catch((error: unknown) => error)).to.equal(reason);
      expect(server.received).to.deep.equal([]);
    });

    it('that aborts while there is no connection yet', async () => {
      server = await listen(() => {});
      const controller = new AbortController();
      const sending = client.send(request(server.origin), controller.signal);
      controller.abort(reason);
      expect(await sending.catch((error: unknown) => error)).to.equal(reason);
      await settle();
      expect(server.received.join('')).to.equal('');
    });

    for (const [when, bytes] of [
      ['before the answer', ''],
      ['within the answer', wire(200, '{', { 'Content-Length': '99' })],
    ] as const) {
      it(`that aborts ${when}`, async () => {
        const controller = new AbortController();
        server = await listen((socket) => {
          socket.write(bytes);
          setTimeout(() => controller.abort(reason), 20);
        });
        const sending = client.send(request(server.origin), controller.signal);
        expect(await sending.catch((error: unknown) => error)).to.equal(reason);
        expect(clock.pending).to.equal(0);
      });
    }
  });

  describe('with a guard', () => {
    const deposed = new Error('another process leads');

    it('asks it when there is a connection, and sends nothing when it says no', async () => {
      server = await listen((socket) => socket.end(wire(200, '{}')));
      const asked: number[] = [];
      const guard = (): void => {
        asked.push(server?.received.length ?? 0);
        throw deposed;
      };
      const sending = client.send(request(server.origin, { guard }), NEVER);
      expect(asked, 'before there is a connection').to.deep.equal([]);
      expect(await sending.catch((error: unknown) => error)).to.equal(deposed);
      await settle();
      expect(asked).to.have.length(1);
      expect(server.received.join('')).to.equal('');
      expect(clock.pending).to.equal(0);
    });

    it('asks it once for each request that it lets through', async () => {
      server = await listen((socket) => socket.end(wire(200, '{}')));
      let asked = 0;
      const sending = client.send(request(server.origin, { guard: () => void asked++ }), NEVER);
      expect(await sending).to.include({ status: 200 });
      expect(asked).to.equal(1);
    });
  });

  it('keeps a connection for the next request and does not send again what a stale one swallowed', async () => {
    let answered = 0;
    server = await listen((socket) => {
      socket.write(wire(200, '1'));
      socket.on('data', () => (++answered === 1 ? socket.write(wire(200, '2')) : socket.destroy()));
    });
    const { origin, received } = server;
    const send = async (): Promise<HttpAnswer> => {
      const answer = await client.send(request(origin), NEVER);
      // Let the connection come free.
      await settle();
      return answer;
    };
    expect((await send()).json).to.equal(1);
    expect((await send()).json).to.equal(2);
    expect(await failure(send())).to.include({ sent: true });
    expect(received).to.have.length(1);
  });
});
