import { expect } from 'chai';
import { serve, type Server } from '../../../../sandbox/registries/shared/http-server.ts';
import type { Fault } from '../../../../sandbox/registries/shared/fault.ts';
import { ACCOUNT, basic, EXCHANGE_FORM, fixture, HOUR, type Fixture } from './fixture.ts';

describe('token service: over HTTP', () => {
  const open: Server[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()));
  });

  async function start(
    options: { faults?: boolean } = {},
    host?: string,
  ): Promise<Fixture & { url: string }> {
    const { service, clock } = fixture();
    service.host = host;
    const server = await serve(service, { port: 0, ...options });
    open.push(server);
    return { url: server.url, service, clock };
  }

  it('takes a client from an API key to a bearer token', async () => {
    const { url, service } = await start();
    const headers = await signIn(url);
    const created = await fetch(`${url}/api/v1/tokens?description=a+b&write=true`, {
      method: 'POST',
      headers,
    });
    expect(created.headers.get('content-type')).to.match(/^application\/json/);
    expect(created.headers.get('date')).to.equal('Thu, 01 Jan 2026 00:00:00 GMT');
    const { token } = (await created.json()) as { token: string };
    expect(service.tokens()[0]).to.include({ description: 'a b', access: 'ReadWrite' });
    const login = await fetch(`${url}/oauth/token?service=registry`, { headers: basic(token) });
    expect(login.status).to.equal(200);
    const removed = await fetch(`${url}/api/v1/tokens?secondaryOwner=a+b`, { method: 'DELETE', headers });
    expect([removed.status, await removed.text()]).to.deep.equal([200, '']);
  });

  it('makes the address it listens on its host, when it has none', async () => {
    const { url, service } = await start();
    expect(`http://${service.host}`).to.equal(url);
    expect((await start({}, 'us.icr.io')).service.host).to.equal('us.icr.io');
  });

  it('refuses to listen where somebody else does', async () => {
    const { url } = await start();
    const attempt = serve(fixture().service, { port: Number(new URL(url).port) });
    expect(await attempt.catch((error: NodeJS.ErrnoException) => error.code)).to.equal('EADDRINUSE');
  });

  it('breaks connections when told to, and carries on', async () => {
    const { url, service } = await start();
    const headers = await signIn(url);
    service.faults.add({ operation: 'mint', kind: 'reset', times: 1 });
    service.faults.add({ operation: 'mint', kind: 'drop-after-effect', times: 1 });
    const outcomes = [];
    for (let turn = 0; turn < 3; turn++) {
      outcomes.push(await outcome(fetch(`${url}/api/v1/tokens`, { method: 'POST', headers })));
    }
    expect(outcomes.slice(0, 2).every((one) => ['ECONNRESET', 'UND_ERR_SOCKET'].includes(one))).to.equal(
      true,
    );
    expect(outcomes[2]).to.equal('200');
    expect(service.tokens()).to.have.length(2);
  });

  it('gives up a slow answer when the client does', async () => {
    const { url, service } = await start();
    service.faults.add({ operation: 'list', kind: 'slow', milliseconds: HOUR, times: 1 });
    const answered = new Promise((resolve) => service.once('answered', resolve));
    await fetch(`${url}/api/v1/tokens`, { signal: AbortSignal.timeout(50) }).catch(() => undefined);
    expect(await answered)
      .to.deep.include({ operation: 'list', fault: 'slow' })
      .and.to.not.have.property('status');
    expect((await fetch(`${url}/api/v1/tokens`)).status).to.equal(401);
  });

  it('closes at once, whatever is under way', async () => {
    const { url, service, clock } = await start();
    service.faults.add({ operation: 'list', kind: 'slow', milliseconds: HOUR });
    const pending = outcome(fetch(`${url}/api/v1/tokens`));
    while (clock.pending === 0) await new Promise(setImmediate);
    await open.pop()?.close();
    expect(await pending).to.not.equal('200');
  });

  describe('faults for other processes', () => {
    const fault: Fault = { operation: 'list', kind: 'status', status: 503, times: 1 };
    it('are not to be had unless asked for', async () => {
      const { url } = await start();
      expect((await post(url, JSON.stringify(fault))).status).to.equal(404);
      expect((await fetch(`${url}/_faults`, { method: 'DELETE' })).status).to.equal(404);
      expect((await fetch(`${url}/api/v1/tokens`)).status).to.equal(401);
    });

    it('are added and cleared', async () => {
      const { url } = await start({ faults: true });
      expect((await post(url, JSON.stringify(fault))).status).to.equal(204);
      expect((await fetch(`${url}/api/v1/tokens`)).status).to.equal(503);
      expect((await post(url, JSON.stringify(fault))).status).to.equal(204);
      expect((await fetch(`${url}/_faults`, { method: 'DELETE' })).status).to.equal(204);
      expect((await fetch(`${url}/api/v1/tokens`)).status).to.equal(401);
    });

    for (const [body, reason] of [
      ['{', 'a fault has to be JSON'],
      ['{"operation":"list","kind":"slow"}', 'slow needs milliseconds'],
    ] as const) {
      it(`answers ${body} with 400 and the reason`, async () => {
        const { url } = await start({ faults: true });
        const response = await post(url, body);
        expect([response.status, await response.text()]).to.deep.equal([400, reason]);
      });
    }

    it('have no other methods', async () => {
      const { url } = await start({ faults: true });
      expect((await fetch(`${url}/_faults`)).status).to.equal(405);
    });
  });
});

async function signIn(url: string): Promise<Record<string, string>> {
  const response = await fetch(`${url}/identity/token`, {
    method: 'POST',
    body: new URLSearchParams(EXCHANGE_FORM),
  });
  const { access_token: accessToken } = (await response.json()) as Record<string, string>;
  return { Authorization: `Bearer ${accessToken}`, Account: ACCOUNT };
}

async function outcome(request: Promise<Response>): Promise<string> {
  return request.then(
    (response) => String(response.status),
    (error: Error) => (error.cause as NodeJS.ErrnoException).code ?? 'no code',
  );
}

function post(url: string, body: string): Promise<Response> {
  return fetch(`${url}/_faults`, { method: 'POST', body });
}
