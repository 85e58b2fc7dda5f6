import { request } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import type { Logger } from '../../../src/common/logger.ts';
import { ListenError, plain, serve, type HttpServer, type Routes } from '../../../src/ops/http-server.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

interface Response {
  status: number | undefined;
  headers: Record<string, unknown>;
  body: string;
}

async function get(server: HttpServer, path: string, method = 'GET'): Promise<Response> {
  const sent = request({ ...server.address, path, method, agent: false }).end();
  const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream & Record<string, unknown>];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return {
    status: response['statusCode'] as number,
    headers: response['headers'] as object as Response['headers'],
    body,
  };
}

describe('HTTP server', () => {
  const clock = new VirtualClock();
  const problems: object[] = [];
  const log: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (fields) => void problems.push(fields),
  };
  const open: HttpServer[] = [];

  async function start(routes: Routes): Promise<HttpServer> {
    const server = await serve({ host: '127.0.0.1', port: 0 }, routes, { clock, log });
    open.push(server);
    return server;
  }

  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()));
    problems.length = 0;
  });

  it('answers GET with the page', async () => {
    const server = await start({ '/page': (query) => plain(200, `hello ${query.get('name')}`) });
    const { status, headers, body } = await get(server, '/page?name=you');
    expect({ status, body }).to.deep.equal({ status: 200, body: 'hello you\n' });
    expect(headers).to.include({ 'content-type': 'text/plain; charset=utf-8', 'content-length': '10' });
  });

  it('answers HEAD without the body', async () => {
    const server = await start({ '/page': () => plain(200, 'hello') });
    const { status, headers, body } = await get(server, '/page', 'HEAD');
    expect({ status, body, length: headers['content-length'] }).to.deep.equal({
      status: 200,
      body: '',
      length: '6',
    });
  });

  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']) {
    it(`refuses ${method}`, async () => {
      const server = await start({ '/page': () => plain(200, 'hello') });
      const { status, headers } = await get(server, '/page', method);
      expect({ status, allow: headers['allow'] }).to.deep.equal({ status: 405, allow: 'GET, HEAD' });
    });
  }

  for (const path of ['/', '/other', '/constructor', '/page/', '//page']) {
    it(`knows no page ${path}`, async () => {
      const server = await start({ '/page': () => plain(200, 'hello') });
      expect(await get(server, path)).to.include({ status: 404 });
    });
  }

  it('says nothing of why a page failed, but logs it', async () => {
    const error = new Error('the reason');
    const server = await start({ '/page': () => Promise.reject(error) });
    expect(await get(server, '/page?x=1')).to.include({ status: 500, body: 'internal error\n' });
    expect(problems).to.deep.equal([{ error, path: '/page' }]);
  });

  it('says which address it could not get', async () => {
    const { address } = await start({});
    const second = await serve(address, {}, { clock, log }).catch((error: unknown) => error);
    expect(second).to.be.instanceOf(ListenError);
    expect(second).to.have.property('message').that.includes(`can't listen on 127.0.0.1:${address.port}`);
  });

  it('answers a probe although hundreds of connections are silent', async () => {
    const server = await start({ '/livez': () => plain(200, 'ok') });
    const silent = Array.from({ length: 300 }, () =>
      connect(server.address.port).on('error', () => undefined),
    );
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    expect(await get(server, '/livez')).to.include({ status: 200 });
    for (const socket of silent) socket.destroy();
  });

  it('closes at once when nobody is waiting, and again without harm', async () => {
    const server = await start({ '/page': () => plain(200, 'hello') });
    const idle = connect(server.address.port);
    idle.write('GET /page HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(idle, 'data');
    await server.close();
    await server.close();
    expect(clock.pending).to.equal(0);
    idle.destroy();
  });

  it('gives an answer under way a second', async () => {
    let finish!: () => void;
    let asked!: () => void;
    const arrived = new Promise<void>((resolve) => (asked = resolve));
    const server = await start({
      '/slow': () => {
        asked();
        return new Promise((resolve) => (finish = () => resolve(plain(200, 'at last'))));
      },
    });
    const answer = get(server, '/slow');
    await arrived;
    const closed = server.close();
    finish();
    expect(await answer).to.include({ body: 'at last\n' });
    await closed;
  });

  it('cuts off a client that keeps it from closing', async () => {
    let asked!: () => void;
    const arrived = new Promise<void>((resolve) => (asked = resolve));
    const server = await start({
      '/never': () => {
        asked();
        return new Promise(() => {});
      },
    });
    const answer = get(server, '/never').catch((error: unknown) => error);
    await arrived;
    const closed = server.close();
    await clock.advance(1000);
    await closed;
    expect(await answer).to.have.property('code', 'ECONNRESET');
  });
});
