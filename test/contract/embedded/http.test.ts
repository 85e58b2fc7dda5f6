import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { kubeconfigFor } from '../../../sandbox/apiserver/kubeconfig.ts';
import { startEmbedded, type RunningApiServer } from '../../support/api-servers.ts';

describe('HTTP edge of the embedded API server', () => {
  let server: RunningApiServer;
  before(async () => {
    server = await startEmbedded();
  });
  after(() => server.close());

  const get = async (headers: Record<string, string>): Promise<IncomingMessage> => {
    const outgoing = request(`${server.url}/version`, { headers, agent: false }).end();
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    return incoming;
  };

  it('refuses host names that are not loopback, as a rebound web page would send', async () => {
    const { port } = new URL(server.url);
    for (const host of [`evil.example:${port}`, '127.0.0.1.evil.example', '10.0.0.1']) {
      const refused = await get({ host });
      expect(refused.statusCode, host).to.equal(403);
      refused.resume();
    }
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
      const answered = await get({ host });
      expect(answered.statusCode, host).to.equal(200);
      expect(JSON.parse(await text(answered))).to.include({ gitVersion: 'v1.35.0-embedded' });
    }
  });

  it('breaks the socket for a fault that says so', async () => {
    server.embedded?.faults.add({ kind: 'reset', times: 1 });
    const failure = await get({}).catch((error: NodeJS.ErrnoException) => error.code);
    expect(failure).to.equal('ECONNRESET');
  });

  it('has a kubeconfig that the client library takes', async () => {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromString(kubeconfigFor(server.url));
    const { items } = await kubeConfig.makeApiClient(CoreV1Api).listNamespace();
    expect(items.map(({ metadata }) => metadata?.name)).to.deep.equal([
      'default',
      'kube-public',
      'kube-system',
    ]);
  });
});
