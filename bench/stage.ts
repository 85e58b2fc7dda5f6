import { pino } from 'pino';
import { freePort } from '../sandbox/free-port.ts';
import { installDefinitions } from '../sandbox/setup.ts';
import { API_VERSION } from '../src/api/names.ts';
import type { RegistryAccount } from '../src/api/registry-account.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../src/api/resources.ts';
import { sleep, systemClock as clock } from '../src/common/clock.ts';
import type { Resource } from '../src/common/objects.ts';
import { KubeClient } from '../src/kube/client/client.ts';
import { KubeError } from '../src/kube/client/errors.ts';
import { LEASES, NAMESPACES, resourcePath, SECRETS } from '../src/kube/client/resources.ts';
import { httpTransport } from '../src/kube/transport/http-transport.ts';
import type { Transport } from '../src/kube/transport/transport.ts';
import { OPERATOR_NAMESPACE } from '../test/support/world.ts';
import type { BenchCluster } from './cluster/cluster.ts';
import { startEmbeddedCluster } from './cluster/embedded-cluster.ts';
import { startRealCluster } from './cluster/real-cluster.ts';
import { Observer } from './measure/observer.ts';
import { namespaceOf, NAMESPACES_USED } from './objects.ts';
import { API_KEY, RegistryProcess } from './registry/registry-process.ts';

const CREDENTIALS = 'ibm-cloud';
const REQUESTS_PER_SECOND = 1000;
/** How long a sweep may take, in milliseconds. */
const SWEEP_TIME = 600_000;
/** Of both groups: they are the same objects. */
const CORE_EVENTS: Resource = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

/** A cluster with the CRDs, an account and namespaces to measure in. */
export class Stage implements AsyncDisposable {
  readonly cluster: BenchCluster;
  readonly client: KubeClient;
  readonly #port: number;
  readonly #transport: Transport;

  /** @param assets folder with the binaries of a real control plane; without it the embedded API server is started */
  static async start(assets: string | undefined): Promise<Stage> {
    const cluster = await (assets === undefined ? startEmbeddedCluster() : startRealCluster(assets));
    const transport = httpTransport(cluster.kubeConfig, {
      clock,
      logger: pino({ level: 'silent' }),
      userAgent: 'bench',
    });
    const client = new KubeClient(transport, { fieldManager: 'bench' });
    const stage = new Stage(cluster, client, await freePort(), transport);
    await installDefinitions(client, AbortSignal.timeout(120_000));
    const namespaces = Array.from({ length: NAMESPACES_USED }, (_, n) => namespaceOf(n));
    for (const name of [OPERATOR_NAMESPACE, ...namespaces])
      await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await client.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: CREDENTIALS, namespace: OPERATOR_NAMESPACE },
      data: { apikey: Buffer.from(API_KEY).toString('base64') },
    });
    return stage;
  }

  private constructor(cluster: BenchCluster, client: KubeClient, port: number, transport: Transport) {
    this.cluster = cluster;
    this.client = client;
    this.#port = port;
    this.#transport = transport;
  }

  /**
   * A fresh start: nothing of an earlier one is left.
   * @param tokens file with tokens that the registry has already
   */
  async trial(tokens?: string): Promise<Trial> {
    for (const resource of [REGISTRY_TOKENS, SECRETS, CORE_EVENTS]) await this.cluster.clear(resource);
    await this.#remove(LEASES, { namespace: OPERATOR_NAMESPACE, name: 'registry-token-operator' });
    await this.#remove(REGISTRY_ACCOUNTS, { name: 'default' });
    const registry = await RegistryProcess.start(this.#port, tokens);
    await this.client.create(REGISTRY_ACCOUNTS, {
      apiVersion: API_VERSION,
      kind: 'RegistryAccount',
      metadata: { name: 'default' },
      spec: {
        ibmRegistryTokens: { iamEndpoint: registry.url },
        credentialsSecretRef: { name: CREDENTIALS },
        defaultRegion: 'us-south',
        regions: [{ name: 'us-south', host: 'registry.test', endpoint: registry.url }],
        requestsPerSecond: REQUESTS_PER_SECOND,
        verify: 'Never',
      },
    });
    return new Trial(this, registry);
  }

  /** Deletes all RegistryTokens to measure with, as `kubectl delete --all` does. */
  async deleteTokens(): Promise<void> {
    for (let n = 0; n < NAMESPACES_USED; n++) {
      const path = resourcePath(REGISTRY_TOKENS, { namespace: namespaceOf(n) });
      await this.#transport.request({ method: 'DELETE', path });
    }
  }

  async #remove(resource: Resource, name: { namespace?: string; name: string }): Promise<void> {
    try {
      await this.client.delete(resource, name);
    } catch (error) {
      if (!(error instanceof KubeError && error.isNotFound)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport.close();
    await this.cluster.stop();
  }
}

/** One try on a stage, with a registry of its own. */
export class Trial implements AsyncDisposable {
  readonly cluster: BenchCluster;
  readonly client: KubeClient;
  readonly registry: RegistryProcess;
  readonly #observers: Observer[] = [];

  constructor({ cluster, client }: Stage, registry: RegistryProcess) {
    this.cluster = cluster;
    this.client = client;
    this.registry = registry;
  }

  /** Begins to watch RegistryTokens. */
  async observe(): Promise<Observer> {
    const observer = new Observer(this.client);
    this.#observers.push(observer);
    await observer.synced();
    return observer;
  }

  /** Waits until the account was swept. @returns when it was seen, milliseconds since 1970 */
  async whenSwept(): Promise<number> {
    for (const end = clock.monotonic() + SWEEP_TIME; clock.monotonic() < end;) {
      const { status } = await this.client.get<RegistryAccount>(REGISTRY_ACCOUNTS, { name: 'default' });
      if (status?.lastSweepTime !== undefined) return clock.now();
      await sleep(clock, 100);
    }
    throw new Error('there was no sweep');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#observers.map((observer) => observer.stop()));
    await this.registry[Symbol.asyncDispose]();
  }
}
