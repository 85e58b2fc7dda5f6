import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { NoAnswer } from '../../../src/registry/http/answer-reader.ts';
import { HttpClient } from '../../../src/registry/http/http-client.ts';
import { registryProxy } from '../../../src/registry/http/proxy.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { listen, wire, type Loopback } from './support/loopback.ts';

describe('a proxy on the way to registries', () => {
  let registry: Loopback;
  let proxy: Server;
  let address: string;
  /** What it was asked to connect to, and the credentials that came with it. */
  let asked: [string | undefined, string | undefined][];
  let refusal: string | undefined;

  beforeEach(async () => {
    // Speaks no TLS: what comes through is looked at, not answered.
    registry = await listen((socket) => socket.destroy());
    asked = [];
    refusal = undefined;
    proxy = createServer((_, response) => response.writeHead(500).end());
    proxy.on('connect', (request, socket) => {
      asked.push([request.url, request.headers['proxy-authorization']]);
      if (refusal !== undefined) return socket.end(`HTTP/1.1 ${refusal}\r\n\r\n`);
      const target = connect(registry.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        target.pipe(socket).pipe(target);
      });
      target.on('error', () => socket.destroy());
      socket.on('error', () => target.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    proxy.closeAllConnections();
    proxy.close();
    await registry.close();
  });

  async function send(url: string, environment: Record<string, string>): Promise<unknown> {
    const client = new HttpClient({
      clock: new VirtualClock(),
      userAgent: 'agent/1',
      timeout: 30_000,
      proxy: registryProxy(environment),
    });
    const request = { method: 'POST', url: new URL(url), headers: { Authorization: 'hush' } } as const;
    return client.send(request, new AbortController().signal).catch((error: unknown) => error);
  }

  it('is asked for the registry, and shown its own credentials but none of the registry', async () => {
    const error = await send('https://registry.test/v2/', { HTTPS_PROXY: `http://me:secret@${address}` });
    expect(asked).to.deep.equal([['registry.test:443', `Basic ${btoa('me:secret')}`]]);
    expect(registry.received[0]?.charCodeAt(0), 'a TLS handshake').to.equal(0x16);
    expect(error).to.be.instanceOf(NoAnswer).and.include({ sent: false });
  });

  for (const answer of ['407 Proxy Authentication Required', '502 Bad Gateway'])
    it(`that answers ${answer} means that nothing was sent`, async () => {
      refusal = answer;
      const error = await send('https://registry.test/', { HTTPS_PROXY: `http://me:secret@${address}` });
      const message = `the proxy answered ${answer.slice(0, 3)}`;
      expect(error).to.be.instanceOf(NoAnswer).and.include({ sent: false, message });
      expect(asked).to.have.length(1);
    });

  for (const [except, direct] of [
    ['registry.test', true],
    ['other.test, .test', true],
    ['*', true],
    ['10.0.0.0/8,other.test', false],
    ['registry.test:8443', false],
    ['registry.test:443', true],
  ] as const)
    it(`is ${direct ? 'left aside' : 'used'} for registry.test with NO_PROXY=${except}`, async () => {
      refusal = '403 Forbidden';
      await send('https://registry.test/', { HTTPS_PROXY: `http://${address}`, NO_PROXY: except });
      expect(asked).to.have.length(direct ? 0 : 1);
    });

  it('is left aside for what is not encrypted', async () => {
    await registry.close();
    registry = await listen((socket) => socket.end(wire(200, '{}')));
    expect(await send(registry.origin, { HTTPS_PROXY: `http://${address}` })).to.include({ status: 200 });
    expect(asked).to.deep.equal([]);
  });

  describe('in the environment', () => {
    for (const [environment, expected] of [
      [{}, undefined],
      [{ HTTPS_PROXY: '' }, undefined],
      [{ HTTP_PROXY: 'http://proxy.test' }, undefined],
      [{ HTTPS_PROXY: 'http://proxy.test:3128' }, { url: 'http://proxy.test:3128/', except: '' }],
      [{ HTTPS_PROXY: 'proxy.test:3128' }, { url: 'http://proxy.test:3128/', except: '' }],
      [
        { HTTPS_PROXY: 'me:100%25@proxy.test:3128' },
        { url: 'http://me:100%25@proxy.test:3128/', except: '' },
      ],
      [
        { https_proxy: 'https://a.test', HTTPS_PROXY: 'http://b.test', no_proxy: 'x', NO_PROXY: 'y' },
        { url: 'https://a.test/', except: 'x' },
      ],
    ] as const)
      it(`${JSON.stringify(environment)} gives ${JSON.stringify(expected)}`, () => {
        expect(registryProxy(environment)).to.deep.equal(expected);
      });

    for (const wrong of ['socks5://proxy.test', 'http://me:hush@', 'http://me:hush%@proxy.test', 'me hush'])
      it(`${wrong} is refused, and not quoted`, () => {
        expect(() => registryProxy({ HTTPS_PROXY: wrong }))
          .to.throw(
            'HTTPS_PROXY is not a URL such as http://proxy.example:3128, with user and password percent-encoded;',
          )
          .that.satisfies((error: Error) => !error.message.includes('hush'));
      });
  });
});
