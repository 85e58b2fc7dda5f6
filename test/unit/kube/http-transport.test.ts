import { writeFile } from 'node:fs/promises';
import { connect, type AddressInfo, type Server } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { LeadershipLost } from '../../../src/kube/election/leadership-lost.ts';
import type { StreamCall } from '../../../src/kube/transport/transport.ts';
import { SlowHandshake } from '../../support/slow-handshake.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import type { VirtualClock } from '../../support/virtual-clock.ts';
import { Authority } from './support/certificates.ts';
import { json, type LoopbackServer } from './support/loopback-server.ts';
import { encode, eventually, failure, useTransports } from './support/transports.ts';

describe('HTTP transport', () => {
  const { kubeConfig, open, stage } = useTransports();
  let server: LoopbackServer;
  let folder: string;
  let clock: VirtualClock;
  beforeEach(() => {
    ({ server, folder, clock } = stage());
  });
  const stream = (options: Partial<StreamCall> = {}): AsyncIterator<string> =>
    iterate(open().stream({ ...call, stallLimit: 60_000, ...options }));
  const call = { method: 'GET', path: '/api/v1/pods' };

  describe('connections', () => {
    it('carries 1,000 calls, twenty at a time, over eight TLS connections', async () => {
      const transport = open();
      const workers = Array.from({ length: 20 }, async () => {
        for (let turn = 0; turn < 50; turn++) await transport.request(call);
      });
      await Promise.all(workers);
      expect(server.requests).to.have.length(1000);
      process.stdout.write(`        1,000 calls over ${server.connections} TLS connections\n`);
      expect(server.connections).to.be.at.most(8);
    });

    it('waits for a handshake that takes a second, though there is another address that can not be reached', async () => {
      await using far = await SlowHandshake.start();
      expect(await open(kubeConfig({}, { server: far.origin })).request(call)).to.deep.equal({});
    });

    it('fails or answers every call when connections break under load, and those that follow are answered', async () => {
      server.answer(async ({ url }, response) => {
        await pause(url.length % 8);
        json(response, 200, { padding: 'x'.repeat(url.length % 2 ? 300 : 60_000) });
      });
      const proxy = await TcpProxy.start(server.url);
      const transport = open(kubeConfig({}, { server: proxy.through(server.url) }));
      const request = (path: string): Promise<unknown> => {
        const write = path.length % 2 === 0 && { method: 'PATCH', body: {} };
        return transport.request({ ...call, path, ...write }).catch(() => undefined);
      };
      for (let round = 0; round < 30; round++) {
        await request('/warm');
        const calls = Array.from({ length: 40 }, (_, index) => request(`/${'x'.repeat(index)}`));
        await pause(round % 10);
        await proxy.refuse();
        await Promise.all([...calls, request('/refused')]);
        await proxy.heal();
      }
      await request('/broken');
      expect(await transport.request(call)).to.have.property('padding');
      await proxy.close();
    });

    it('gives every watch a connection of its own', async () => {
      server.answer((_, response) => {
        response.writeHead(200);
        response.write('{"n":1}\n');
      });
      const transport = open();
      const watches = Array.from({ length: 3 }, () =>
        iterate(transport.stream({ ...call, stallLimit: 60_000 })),
      );
      for (const watch of watches)
        expect(await watch.next()).to.deep.equal({ done: false, value: '{"n":1}' });
      expect(server.connections).to.equal(3);
      for (const watch of watches) await watch.return?.();
      await eventually(() => server.open === 0);
    });

    it('goes through the proxy that the kubeconfig names', async () => {
      const proxied: string[] = [];
      const proxy = createHttpServer();
      proxy.on('connect', (request, socket) => {
        proxied.push(request.url ?? '');
        const [host, port] = (request.url ?? '').split(':');
        const target = connect(Number(port), host, () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          target.pipe(socket).pipe(target);
        });
        target.on('error', () => socket.destroy());
        socket.on('error', () => target.destroy());
      });
      const proxyUrl = await listen(proxy);
      try {
        const transport = open(kubeConfig(undefined, { proxyUrl }));
        await transport.request(call);
        await transport.request(call);
        expect(new Set(proxied)).to.deep.equal(new Set([new URL(server.url).host]));
        const lines: string[] = [];
        server.answer((_, response) => void response.end('{}\n'));
        for await (const line of transport.stream({ ...call, stallLimit: 1000 })) lines.push(line);
        expect(lines).to.deep.equal(['{}']);
        await transport.close();
      } finally {
        proxy.closeAllConnections();
        proxy.close();
      }
    });

    it('leaves a connection on which a call timed out', async () => {
      const transport = open();
      await transport.request(call);
      server.answer(() => undefined);
      const silent = failure(transport.request({ ...call, timeout: 5_000 }));
      await eventually(() => server.requests.length === 2);
      await clock.advance(5_000);
      expect((await silent).message).to.equal('GET /api/v1/pods: no answer within 5 s');
      const before = server.connections;
      server.answer((_, response) => json(response, 200, { ok: true }));
      expect(await transport.request(call)).to.deep.equal({ ok: true });
      expect(server.connections).to.equal(before + 1);
    });

    it('refuses a server whose certificate another authority signed', async () => {
      const stranger = await Authority.create('stranger');
      const error = await failure(
        open(kubeConfig({}, { caData: encode(stranger.certificate) })).request(call),
      );
      expect(error.message).to.match(/no usable answer from the API server \([A-Z_]+\)/);
      expect(error.isRetryable).to.equal(true);
    });

    it('sends credentials over TLS only', async () => {
      let authorization: string | undefined = 'none yet';
      const plain = createHttpServer((request, response) => {
        ({ authorization } = request.headers);
        response.end('{}');
      });
      const url = await listen(plain);
      await open(kubeConfig({ token: 'tok-1' }, { server: url })).request(call);
      expect(authorization).to.equal(undefined);
      plain.closeAllConnections();
      plain.close();
    });
  });

  describe('what is sent', () => {
    it('puts the server’s own path before the call’s, with query, body and headers', async () => {
      const transport = open(kubeConfig(undefined, { server: `${server.url}/k8s/clusters/c-1` }));
      await transport.request({
        method: 'PATCH',
        path: '/api/v1/namespaces/a/secrets/b',
        query: { fieldManager: 'me & you' },
        body: { data: 'ü' },
        contentType: 'application/merge-patch+json',
      });
      const [received] = server.requests;
      expect(received).to.include({
        method: 'PATCH',
        url: '/k8s/clusters/c-1/api/v1/namespaces/a/secrets/b?fieldManager=me%20%26%20you',
        body: '{"data":"ü"}',
      });
      expect(received!.headers).to.include({
        authorization: 'Bearer tok-1',
        'content-type': 'application/merge-patch+json',
        accept: 'application/json',
        'user-agent': 'test/1',
      });
    });

    it('counts each call with its status, or without one when there was no answer', async () => {
      const counted: unknown[][] = [];
      const transport = open(kubeConfig(), { requested: (...args) => counted.push(args) });
      await transport.request(call);
      server.answer((_, response) => json(response, 503, {}));
      await failure(transport.request(call));
      server.answer(() => server.reset());
      await failure(transport.request(call));
      const { host } = new URL(server.url);
      expect(counted.map(([method, at, code]) => [method, at, code])).to.deep.equal([
        ['GET', host, 200],
        ['GET', host, 503],
        ['GET', host, undefined],
      ]);
    });
  });

  describe('a guard', () => {
    const write = { method: 'PATCH', path: '/api/v1/pods/a', body: {} };
    const deposed = new LeadershipLost('another leads');

    it('is asked again for what waited for a connection: a process that was frozen meanwhile changes nothing', async () => {
      const held: (() => void)[] = [];
      server.answer(
        (_, response) =>
          new Promise((resolve) => {
            held.push(() => resolve(json(response, 200, {})));
          }),
      );
      const transport = open();
      let leads = true;
      const guard = (): void => {
        if (!leads) throw deposed;
      };
      const busy = Array.from({ length: 8 }, () => transport.request({ ...write, guard }));
      await eventually(() => held.length === 8);
      const waiting = transport
        .request({ ...write, path: '/api/v1/pods/b', guard })
        .catch((error: unknown) => error);
      await new Promise(setImmediate);
      leads = false;
      for (const answer of held.splice(0)) answer();
      await Promise.all(busy);
      expect(await waiting).to.equal(deposed);
      expect(server.requests.map(({ url }) => url)).to.deep.equal(Array(8).fill('/api/v1/pods/a'));
    });

    it('that says no leaves the connection to others', async () => {
      const transport = open();
      await transport.request(call);
      await new Promise(setImmediate);
      const refused = transport.request({
        ...write,
        guard: () => {
          throw deposed;
        },
      });
      expect(await refused.catch((error: unknown) => error)).to.equal(deposed);
      await new Promise(setImmediate);
      await transport.request(call);
      expect(server.requests.map(({ method }) => method)).to.deep.equal(['GET', 'GET']);
      expect(server.connections).to.equal(1);
    });

    it('is asked again when credentials were refused and renewed', async () => {
      const tokenFile = join(folder, 'guarded');
      await writeFile(tokenFile, 'old');
      const transport = open(kubeConfig({ authProvider: { name: 'tokenFile', config: { tokenFile } } }));
      let leads = true;
      server.answer((_, response) => {
        leads = false;
        json(response, 401, {});
      });
      const guard = (): void => {
        if (!leads) throw deposed;
      };
      const refused = transport.request({ ...write, guard });
      expect(await refused.catch((error: unknown) => error)).to.equal(deposed);
      expect(server.requests).to.have.length(1);
    });
  });

  describe('failures', () => {
    it('gives the server’s reason and Retry-After', async () => {
      server.answer((_, response) =>
        json(
          response,
          429,
          { kind: 'Status', reason: 'TooManyRequests', message: 'slow down' },
          { 'retry-after': '7' },
        ),
      );
      const error = await failure(open().request(call));
      expect(error.message).to.equal('GET /api/v1/pods: 429 TooManyRequests - slow down');
      expect(error).to.include({
        status: 429,
        retryAfter: 7_000,
        isRetryable: true,
      });
    });

    it('does not repeat a page that is no Status', async () => {
      server.answer((_, response) => {
        response.writeHead(502);
        response.end('<html>password: hush</html>');
      });
      const error = await failure(open().request(call));
      expect(error.message).to.equal('GET /api/v1/pods: 502');
    });

    it('is retryable after a success that cannot be read', async () => {
      server.answer((_, response) => void response.end('{"cut":'));
      expect((await failure(open().request(call))).isRetryable).to.equal(true);
    });

    it('throws the reason of the caller’s abort', async () => {
      const transport = open();
      const stop = new AbortController();
      server.answer(() => stop.abort(new Error('enough')));
      const error: unknown = await transport
        .request({ ...call, signal: stop.signal })
        .catch((reason: unknown) => reason);
      expect(error).to.have.property('message', 'enough');
      const before: unknown = await transport
        .request({ ...call, signal: stop.signal })
        .catch((reason: unknown) => reason);
      expect(before).to.equal(error);
    });
  });

  describe('streams', () => {
    it('puts lines together that arrive in pieces, within characters too', async () => {
      const long = JSON.stringify({ name: 'ü'.repeat(600_000) });
      const bytes = Buffer.from(`{"first":"€"}\n${long}\n\n{"last":"😀"}\nunfinished`);
      server.answer(async (_, response) => {
        response.writeHead(200);
        for (let at = 0; at < bytes.length; at += at < 20 || at > bytes.length - 30 ? 1 : 65_537) {
          const end = at < 20 || at > bytes.length - 30 ? at + 1 : at + 65_537;
          response.write(bytes.subarray(at, end));
          await new Promise((resolve) => setImmediate(resolve));
        }
        response.end();
      });
      const lines: string[] = [];
      for await (const line of open().stream({ ...call, stallLimit: 60_000 })) lines.push(line);
      expect(lines).to.deep.equal(['{"first":"€"}', long, '{"last":"😀"}']);
    });

    it('fails after silence of the stall limit, though the connection is open', async () => {
      server.answer((_, response) => {
        response.writeHead(200);
        response.write('{}\n');
      });
      const lines = stream({ stallLimit: 300 });
      await lines.next();
      const error = await failure(lines.next());
      expect(error.message).to.contain('UND_ERR_BODY_TIMEOUT');
    });

    it('fails when the connection breaks', async () => {
      server.answer((_, response) => {
        response.writeHead(200);
        response.write('{}\n');
      });
      const lines = stream();
      await lines.next();
      server.reset();
      expect((await failure(lines.next())).isRetryable).to.equal(true);
    });

    it('fails when it is not accepted in time', async () => {
      server.answer(() => undefined);
      const first = stream({ timeout: 1_000 }).next();
      const failed = failure(first);
      await eventually(() => server.requests.length === 1);
      await clock.advance(1_000);
      expect((await failed).message).to.contain('no answer within 1 s');
    });

    it('has no time limit once it is accepted', async () => {
      server.answer((_, response) => {
        response.writeHead(200);
        response.write('{}\n');
        setTimeout(() => response.end('{"later":1}\n'), 20);
      });
      const lines = stream();
      await lines.next();
      await clock.advance(3_600_000);
      expect(await lines.next()).to.have.property('value', '{"later":1}');
    });

    it('ends at once when the caller aborts, and closes its connection', async () => {
      server.answer((_, response) => {
        response.writeHead(200);
        response.write('{}\n');
      });
      const stop = new AbortController();
      const lines = stream({ signal: stop.signal });
      await lines.next();
      const next = lines.next().catch((reason: unknown) => reason);
      stop.abort(new Error('enough'));
      expect(await next).to.have.property('message', 'enough');
      await eventually(() => server.open === 0);
    });
  });

  it('says when the kubeconfig names no cluster', () => {
    expect(() => open(new KubeConfig())).to.throw(TypeError, /names no cluster/);
  });
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const iterate = (lines: AsyncIterable<string>): AsyncIterator<string> => lines[Symbol.asyncIterator]();
