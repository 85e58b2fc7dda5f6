import { KubeConfig } from '@kubernetes/client-node';
import { REGISTRY_ACCOUNTS } from '../../src/controller/resources.ts';
import { MintLedger } from './mint-ledger.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { HOST, World } from './world.ts';

/** A world whose operator reaches the API server and the token service through proxies; the tests themselves go directly. */
export class ProxiedWorld {
  readonly world: World;
  readonly api: TcpProxy;
  readonly registry: TcpProxy;
  readonly mints: MintLedger;

  static async start(): Promise<ProxiedWorld> {
    const world = await World.start();
    const registry = await TcpProxy.start(world.serviceUrl);
    const url = registry.through(world.serviceUrl);
    const spec = { iamEndpoint: url, regions: [{ name: 'us-south', host: HOST, endpoint: url }] };
    await world.client.mergePatch(REGISTRY_ACCOUNTS, { name: 'default' }, { spec });
    return new ProxiedWorld(world, await TcpProxy.start(world.apiServer.url), registry);
  }

  private constructor(world: World, api: TcpProxy, registry: TcpProxy) {
    this.world = world;
    this.api = api;
    this.registry = registry;
    this.mints = new MintLedger(world.service);
  }

  /** A kubeconfig's text that leads through the proxy. */
  get kubeconfig(): string {
    const { kubeconfig, url } = this.world.apiServer;
    return kubeconfig.replace(url, this.api.through(url));
  }

  get kubeConfig(): KubeConfig {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromString(this.kubeconfig);
    return kubeConfig;
  }

  async heal(): Promise<void> {
    this.world.service.faults.clear();
    this.world.apiServer.embedded?.faults.clear();
    await Promise.all([this.api.heal(), this.registry.heal()]);
  }

  async close(): Promise<void> {
    await this.world.stopOperator();
    await Promise.all([this.api.close(), this.registry.close()]);
    await this.world.close();
  }
}

/**
 * Whether a connection to the API server may carry watches, by its first bytes: a plain request says so. Of TLS nothing can be
 * told, so that faults of watches strike requests as well, and those of requests watches.
 */
export function carriesWatch(opening: Buffer): boolean {
  return opening[0] === TLS_HANDSHAKE || opening.includes('watch=true');
}

/** Whether it may carry requests other than watches. */
export function carriesRequests(opening: Buffer): boolean {
  return opening[0] === TLS_HANDSHAKE || !opening.includes('watch=true');
}

const TLS_HANDSHAKE = 22;
