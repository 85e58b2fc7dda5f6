import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { createSelfSigned } from '../../../sandbox/self-signed-certificate.ts';
import { systemClock as clock } from '../../../src/common/clock.ts';
import { RegistryDirectory } from '../../../src/registry/directory.ts';
import { anAccount, anExchange, NEVER, TIMEOUT } from './support/registry-world.ts';

describe('the connections of accounts', () => {
  let server: Server;
  let connections: number;
  let caBundle: string;
  let other: string;
  let directory: RegistryDirectory;

  before(async () => {
    const { key, certificate } = await createSelfSigned('localhost', Date.now(), ['localhost']);
    caBundle = certificate;
    other = certificate + (await createSelfSigned('another', Date.now())).certificate;
    server = createServer({ key, cert: certificate }, (_, response) =>
      response.end(JSON.stringify(anExchange())),
    ).listen(0);
    server.on('secureConnection', () => connections++);
    await once(server, 'listening');
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  beforeEach(() => {
    connections = 0;
    const metrics = { requested: () => undefined };
    directory = new RegistryDirectory({ clock, userAgent: 'test', timeout: TIMEOUT, metrics });
  });

  const ask = async (name: string, bundle: string): Promise<void> => {
    const iamEndpoint = `https://localhost:${(server.address() as AddressInfo).port}`;
    const account = anAccount({ name, spec: { ibmRegistryTokens: { iamEndpoint } } });
    await directory.verify({ ...account, caBundle: bundle }, NEVER);
    // A connection is free for the next request in the turn after its answer.
    await setImmediate();
  };

  it('are shared by those that trust the same authorities', async () => {
    await ask('one', caBundle);
    await ask('another', caBundle);
    expect(connections).to.equal(1);
  });

  it('are given up once no account trusts these authorities any more', async () => {
    await ask('one', caBundle);
    await ask('one', other);
    await ask('one', caBundle);
    expect(connections).to.equal(3);
  });

  it('stay while another account has them', async () => {
    await ask('one', caBundle);
    await ask('another', caBundle);
    await ask('one', other);
    directory.forget('one');
    await ask('one', caBundle);
    expect(connections).to.equal(2);
  });
});
