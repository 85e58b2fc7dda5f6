import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type AddressInfo, type Server } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { systemClock } from '../../../src/common/clock.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import { httpTransport } from '../../../src/kube/http-transport.ts';
import type { StreamCall, Transport } from '../../../src/kube/transport.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { Authority } from './support/certificates.ts';
import { json, LoopbackServer } from './support/loopback-server.ts';
import { Logs } from './support/logs.ts';

const encode = (pem: string): string => Buffer.from(pem).toString('base64');

describe('HTTP transport', () => {
  let authority: Authority;
  let server: LoopbackServer;
  let folder: string;
  let clock: VirtualClock;
  let logs: Logs;
  const transports: Transport[] = [];

  before(async () => {
    authority = await Authority.create();
    folder = await mkdtemp(join(tmpdir(), 'kube-'));
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    server = await LoopbackServer.start(authority);
    clock = new VirtualClock();
    logs = new Logs();
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    await Promise.all(transports.splice(0).map((transport) => transport.close()));
  });

  /** A kubeconfig for the server, with more fields of cluster and user. */
  function kubeConfig(user: object = { token: 'tok-1' }, cluster: object = {}): KubeConfig {
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [
        {
          name: 'c',
          server: server.url,
          skipTLSVerify: false,
          caData: encode(authority.certificate),
          ...cluster,
        },
      ],
      users: [{ name: 'u', ...user }],
      contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
      currentContext: 'x',
    });
    return config;
  }

  function open(config = kubeConfig(), metrics?: { requested: (...call: unknown[]) => void }): Transport {
    const transport = httpTransport(config, {
      clock,
      logger: logs,
      userAgent: 'test/1',
      ...(metrics && { metrics }),
    });
    transports.push(transport);
    return transport;
  }

  const tokens = (): unknown[] => server.requests.map(({ headers }) => headers['authorization']);
  const stream = (options: Partial<StreamCall> = {}): AsyncIterator<string> =>
    iterate(open().stream({ ...call, stallLimit: 60_000, ...options }));
  const call = { method: 'GET', path: '/api/v1/pods' };

  describe('connections', () => {
    it('carries 1,000 calls, twenty at a time, over sixteen TLS connections', async () => {
      const transport = open();
      const workers = Array.from({ length: 20 }, async () => {
        for (let turn = 0; turn < 50; turn++) await transport.request(call);
      });
      await Promise.all(workers);
      expect(server.requests).to.have.length(1000);
      expect(server.connections).to.be.at.most(16);
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

  describe('credentials', () => {
    it('presents a client certificate', async () => {
      const { certificate, key } = await authority.issue('somebody');
      await open(kubeConfig({ certData: encode(certificate), keyData: encode(key) })).request(call);
      expect(server.requests[0]!.client).to.equal('somebody');
    });

    it('reads a token file again every minute', async () => {
      const tokenFile = join(folder, 'token');
      await writeFile(tokenFile, 'one\n');
      const transport = open(kubeConfig({ authProvider: { name: 'tokenFile', config: { tokenFile } } }));
      await transport.request(call);
      await writeFile(tokenFile, 'two\n');
      await clock.advance(59_000);
      await transport.request(call);
      await clock.advance(1_000);
      await transport.request(call);
      expect(tokens()).to.deep.equal(['Bearer one', 'Bearer one', 'Bearer two']);
    });

    it('keeps the token it has while the file cannot be read, and says so', async () => {
      const tokenFile = join(folder, 'vanishing');
      await writeFile(tokenFile, 'one');
      const transport = open(kubeConfig({ authProvider: { name: 'tokenFile', config: { tokenFile } } }));
      await transport.request(call);
      await rm(tokenFile);
      await clock.advance(60_000);
      await transport.request(call);
      expect(tokens()).to.deep.equal(['Bearer one', 'Bearer one']);
      expect(logs.messages('warn')).to.deep.equal(['Using the API server credentials read before']);
    });

    it('reads the token at once after a 401 and tries once more', async () => {
      const tokenFile = join(folder, 'expired');
      await writeFile(tokenFile, 'old');
      const transport = open(kubeConfig({ authProvider: { name: 'tokenFile', config: { tokenFile } } }));
      await transport.request(call);
      await writeFile(tokenFile, 'new');
      server.answer(({ headers }, response) =>
        json(response, headers['authorization'] === 'Bearer new' ? 200 : 401, {}),
      );
      await transport.request(call);
      expect(tokens()).to.deep.equal(['Bearer old', 'Bearer old', 'Bearer new']);
    });

    it('gives up when the renewed credentials are refused too', async () => {
      server.answer((_, response) =>
        json(response, 401, { kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized' }),
      );
      const error = await failure(open().request(call));
      expect(error.isUnauthorized).to.equal(true);
      expect(server.requests).to.have.length(2);
    });

    it('asks an exec plugin again after a 401, once for all calls that were refused', async () => {
      const count = join(folder, 'runs');
      const script = join(folder, 'plugin.cjs');
      await writeFile(count, '');
      await writeFile(
        script,
        `const fs = require('fs'); fs.appendFileSync(${JSON.stringify(count)}, 'x');
         const token = 'run-' + fs.readFileSync(${JSON.stringify(count)}).length;
         console.log(JSON.stringify({apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: {token}}))`,
      );
      const transport = open(kubeConfig({ exec: { command: process.execPath, args: [script] } }));
      server.answer(({ headers }, response) =>
        json(response, headers['authorization'] === 'Bearer run-2' ? 200 : 401, {}),
      );
      await Promise.all([transport.request(call), transport.request(call), transport.request(call)]);
      expect(new Set(tokens())).to.deep.equal(new Set(['Bearer run-1', 'Bearer run-2']));
    });

    it('does not tell what a failing plugin printed', async () => {
      const exec = {
        command: process.execPath,
        args: ['-e', 'console.error("token=hush"); process.exit(1)'],
      };
      const error = await failure(open(kubeConfig({ exec })).request(call));
      expect(error.message)
        .to.match(/^Cannot read the credentials of kubeconfig user "u"/)
        .and.not.contain('hush');
    });

    it('connects anew when the certificate or the authority in its file changes', async () => {
      const [certFile, keyFile, caFile] = ['crt', 'key', 'ca'].map((name) =>
        join(folder, `rotated.${name}`),
      ) as [string, string, string];
      const put = async (name: string): Promise<void> => {
        const { certificate, key } = await authority.issue(name);
        await Promise.all([writeFile(certFile, certificate), writeFile(keyFile, key)]);
      };
      await put('first');
      await writeFile(caFile, authority.certificate);
      const transport = open(kubeConfig({ certFile, keyFile }, { caFile, caData: undefined }));
      await transport.request(call);
      await put('second');
      await clock.advance(60_000);
      await transport.request(call);
      await clock.advance(60_000);
      await transport.request(call);
      const stranger = await Authority.create('stranger');
      await writeFile(caFile, stranger.certificate);
      await clock.advance(60_000);
      await failure(transport.request(call));
      expect(server.requests.map(({ client }) => client)).to.deep.equal(['first', 'second', 'second']);
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
        isTooManyRequests: true,
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

/** The KubeError with which work fails. */
async function failure(work: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await work.then(
    () => expect.fail('it succeeded'),
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(KubeError);
  return error as KubeError;
}

/** Waits for what another thread of the machine does, for two seconds at most. */
async function eventually(condition: () => boolean): Promise<void> {
  for (const end = systemClock.monotonic() + 2_000; !condition();) {
    if (systemClock.monotonic() > end) expect.fail('it never came true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
