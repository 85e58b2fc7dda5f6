import { KubeConfig } from '@kubernetes/client-node';
import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import { createSelfSigned } from '../../sandbox/self-signed-certificate.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import type { RunningApiServer } from './api-servers.ts';
import { MintLedger } from './mint-ledger.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { TlsTermination } from './tls-termination.ts';
import { World } from './world.ts';

/** What the proxy is called in its certificate, where it has one. */
const PROXY = 'proxy.test';

/** A world whose operator reaches the API server and the registry through proxies; the tests themselves go directly. */
export class ProxiedWorld {
  readonly world: World;
  readonly api: TcpProxy;
  /** As the operator has to have it to go through the proxy. */
  readonly kubeConfig: KubeConfig;
  readonly registry: TcpProxy;
  readonly mints: MintLedger;

  static async start(): Promise<ProxiedWorld> {
    const world = await World.start();
    const registry = await TcpProxy.start(world.registryUrl);
    const url = registry.through(world.registryUrl);
    await world.client.mergePatch(
      REGISTRY_ACCOUNTS,
      { name: 'default' },
      { spec: world.registryAt({ url }) },
    );
    return new ProxiedWorld(world, await proxyTo(world.apiServer), registry);
  }

  private constructor(
    world: World,
    { proxy, kubeConfig }: { proxy: TcpProxy; kubeConfig: KubeConfig },
    registry: TcpProxy,
  ) {
    this.world = world;
    this.api = proxy;
    this.kubeConfig = kubeConfig;
    this.registry = registry;
    this.mints = new MintLedger(world.registry);
  }

  /** The text of `kubeConfig`. */
  get kubeconfig(): string {
    return this.kubeConfig.exportConfig();
  }

  /** How often a fault of the network struck. */
  get struck(): number {
    return this.api.counts.struck + this.registry.counts.struck;
  }

  async heal(): Promise<void> {
    this.world.registry.faults.clear();
    await Promise.all([this.api.heal(), this.registry.heal()]);
  }

  async close(): Promise<void> {
    await this.world.stopOperator();
    await Promise.all([this.api.close(), this.registry.close()]);
    await this.world.close();
  }
}

/** A proxy that sees what it passes on to an API server, also inside TLS. */
async function proxyTo({
  url,
  kubeConfig,
}: RunningApiServer): Promise<{ proxy: TcpProxy; kubeConfig: KubeConfig }> {
  const [cluster, user] = [kubeConfig.getCurrentCluster(), kubeConfig.getCurrentUser()];
  if (!cluster || !user) throw new Error('the kubeconfig has no current cluster or user');
  const through = new KubeConfig();
  if (!url.startsWith('https:')) {
    const proxy = await TcpProxy.start(url);
    through.loadFromClusterAndUser({ ...cluster, server: proxy.through(url) }, user);
    return { proxy, kubeConfig: through };
  }
  const [ca, cert, key] = [cluster.caData, user.certData, user.keyData].map((text) =>
    Buffer.from(text ?? '', 'base64').toString(),
  );
  const itself = await createSelfSigned(PROXY, clock.now(), [PROXY]);
  const proxy = await TcpProxy.start(
    url,
    new TlsTermination(itself, { ca, cert, key, host: new URL(url).hostname }),
  );
  const caData = Buffer.from(itself.certificate).toString('base64');
  const server = proxy.through(url);
  through.loadFromClusterAndUser({ ...cluster, server, caData, tlsServerName: PROXY }, user);
  return { proxy, kubeConfig: through };
}

/** Whether a connection to the API server carries watches, by the first bytes that the client sent. */
export function carriesWatch(opening: Buffer): boolean {
  return opening.includes('watch=true');
}

/** Whether it carries requests other than watches. */
export function carriesRequests(opening: Buffer): boolean {
  return !carriesWatch(opening);
}
