/** A cluster, a registry and the operator, for integration tests: real sockets, real time, one process. */
import type { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { API_VERSION } from '../../src/api/names.ts';
import type { ClusterRegistryToken } from '../../src/api/cluster-registry-token.ts';
import type { RegistryAccount, RegistryAccountSpec } from '../../src/api/registry-account.ts';
import type { RegistryToken, RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { CLUSTER_REGISTRY_TOKENS, REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import type { KubeObject, ObjectName } from '../../src/common/objects.ts';
import { Operator, type OperatorSettings } from '../../src/controller/operator.ts';
import { KubeClient } from '../../src/kube/client/client.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import { httpTransport } from '../../src/kube/transport/http-transport.ts';
import { EVENTS, NAMESPACES, SECRETS, SERVICE_ACCOUNTS } from '../../src/kube/client/resources.ts';
import type { Call, Transport } from '../../src/kube/transport/transport.ts';
import { Metrics } from '../../src/ops/metrics.ts';
import { PROVIDER_NAMES } from '../../src/registry/backends.ts';
import { RegistryDirectory } from '../../src/registry/directory.ts';
import type { Secret } from '../../src/token/secret/secret.ts';
import type { Tag } from '../../src/token/sweep/tag.ts';
import type { PullSecret, ServiceAccount } from '../../src/token/workloads/service-accounts.ts';
import { serve, type Server } from '../../sandbox/registries/shared/http-server.ts';
import type { PreparedRegistry } from '../../sandbox/registries/registry-kind.ts';
import type { FakeRegistry } from '../../sandbox/registries/shared/fake-registry.ts';
import { installDefinitions } from '../../sandbox/setup.ts';
import { startApiServer, type RunningApiServer } from './api-servers.ts';
import { recordOutput, registerSecret } from './secrecy.ts';
import { CAPABILITIES, OtherClient, prepareRegistry } from './tested-registry.ts';

export const OPERATOR_NAMESPACE = 'operator-system';
/** The Secret with the credentials of the account named default. */
export const CREDENTIALS = 'registry-credentials';
/** Of the registry, as accounts have it unless told: it is nowhere. */
export const HOST = 'registry.test:5000';
/** Keys of credentials that are no secrets. */
const PUBLIC_CREDENTIALS = ['username', 'accessKeyId'];

export type SecretObject = Secret & KubeObject;

interface RunningOperator {
  stop: AbortController;
  done: Promise<unknown>;
}

/** Everything an integration test works with. */
export class World {
  readonly client: KubeClient;
  /** What the registry is, and what an account says of it. */
  readonly prepared: PreparedRegistry;
  readonly registry: FakeRegistry;
  /** How many tokens it issued. */
  issued = 0;
  /** Every line the operator logged. */
  readonly log: Record<string, unknown>[] = [];
  readonly apiServer: RunningApiServer;
  /** Gets each of the operator's calls to the API server in the server's place, watches left out, and may pass it on. */
  intercept: ((call: Call, pass: () => Promise<unknown>) => Promise<unknown>) | undefined;
  readonly #server: Server;
  readonly #transports: Transport[] = [];
  #operator: RunningOperator | undefined;
  #otherClient: OtherClient | undefined;
  #names = 0;

  /**
   * Starts a cluster with the CRDs, a registry and an account named default that works.
   * @param options `prepared`: the registry, unless it is the one that REGISTRY names; `running`: the cluster's API server, if one
   * is there already
   */
  static async start(
    options: { prepared?: PreparedRegistry; running?: RunningApiServer } = {},
  ): Promise<World> {
    const { prepared = prepareRegistry(), running } = options;
    const apiServer = running ?? (await startApiServer());
    for (const [key, value] of Object.entries(prepared.credentials))
      if (!PUBLIC_CREDENTIALS.includes(key)) registerSecret(value);
    const world = new World(apiServer, prepared, await serve(prepared.fake, { port: 0 }));
    await installDefinitions(world.client, new AbortController().signal);
    apiServer.startControllers?.();
    await world.createNamespace(OPERATOR_NAMESPACE);
    await world.setCredentials(CREDENTIALS);
    await world.createAccount('default');
    return world;
  }

  private constructor(apiServer: RunningApiServer, prepared: PreparedRegistry, server: Server) {
    this.apiServer = apiServer;
    this.#server = server;
    this.prepared = prepared;
    this.registry = prepared.fake;
    this.registry.on('issued', () => this.issued++);
    this.client = new KubeClient(this.#connect('test'), { fieldManager: 'test' });
  }

  /** Whether the API server takes events about accounts, which have no namespace: older releases do not (docs/development/testing.md). */
  get keepsAccountEvents(): boolean {
    return this.apiServer.kind === 'embedded';
  }

  /** Where the registry is, with all its APIs. */
  get registryUrl(): string {
    return this.#server.url;
  }

  /** The registry as it stands in image names, by which it can be asked. */
  get registryHost(): string {
    return new URL(this.registryUrl).host;
  }

  /** What an account says that has the registry under another host or another URL of its APIs. */
  registryAt({ host = HOST, url = this.registryUrl }): Partial<RegistryAccountSpec> {
    return this.prepared.account(url, host);
  }

  /**
   * Starts the operator; the one that runs, if any, must be stopped first.
   * @param kubeConfig how it reaches the API server, unless directly
   * @param wrong how far its clock is ahead of everybody else's, in milliseconds
   */
  startOperator(settings: Partial<OperatorSettings> = {}, kubeConfig?: KubeConfig, wrong = 0): void {
    const itsClock = { ...clock, now: () => clock.now() + wrong };
    if (this.#operator) throw new Error('an operator runs already');
    const stop = new AbortController();
    const logger = pino({ level: 'debug', base: null }, { write: (line) => this.#record(line) });
    const metrics = new Metrics({
      version: 'test',
      nodeVersion: '',
      clock,
      listTokens: () => [],
      listAccounts: () => [],
      listClusterTokens: () => [],
    });
    const userAgent = 'registry-token-operator';
    const transport = this.#connect(userAgent, kubeConfig);
    const operator = new Operator({
      settings: {
        operatorNamespace: OPERATOR_NAMESPACE,
        watchNamespaces: [],
        workers: 4,
        mintBudget: 50,
        defaultGracePeriod: 3_600_000,
        revocationDeadline: 2_000,
        sweep: 'off',
        sweepInterval: 3_600_000,
        sweepDelay: 1_000,
        clusterTokens: true,
        evictPods: false,
        countPods: false,
        shutdownTimeout: 5_000,
        ...settings,
      },
      client: new KubeClient(this.#intercepted(transport), { fieldManager: userAgent }),
      directory: new RegistryDirectory({
        clock: itsClock,
        userAgent: 'test',
        timeout: 2_000,
        metrics: metrics.registryClient,
      }),
      identity: 'test',
      protect: () => undefined,
      metrics: {
        token: metrics.token,
        reflector: metrics.kubeClient,
        workers: metrics.reconcile,
        queue: (controller) => metrics.workQueues.queue(controller),
      },
      logger,
      clock: itsClock,
      random: Math.random,
    });
    const done = Promise.all([operator.watch(stop.signal), operator.lead(stop.signal)]);
    this.#operator = { stop, done };
  }

  async stopOperator(): Promise<void> {
    this.#operator?.stop.abort();
    await this.#operator?.done.catch(() => undefined);
    this.#operator = undefined;
  }

  async close(): Promise<void> {
    await this.stopOperator();
    for (const value of this.registry.values()) registerSecret(value);
    await Promise.all(this.#transports.map((transport) => transport.close()));
    await this.#server.close();
    await this.apiServer.close();
  }

  /** A name that no other test of this world uses. */
  uniqueName(prefix: string): string {
    return `${prefix}-${++this.#names}`;
  }

  async createNamespace(
    name = this.uniqueName('team'),
    labels: Record<string, string> = {},
  ): Promise<string> {
    await this.client.create(NAMESPACES, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels },
    });
    return name;
  }

  createServiceAccount(
    metadata: { namespace: string; name: string },
    imagePullSecrets?: PullSecret[],
  ): Promise<ServiceAccount> {
    return this.client.create<ServiceAccount>(SERVICE_ACCOUNTS, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata,
      ...(imagePullSecrets && { imagePullSecrets }),
    });
  }

  /** @param data those that the registry accepts, unless told */
  async setCredentials(
    name: string,
    data: Readonly<Record<string, string>> = this.prepared.credentials,
    namespace = OPERATOR_NAMESPACE,
  ): Promise<void> {
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    await this.client.apply(
      SECRETS,
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace },
        data: Object.fromEntries(encoded) as Record<string, string>,
      },
      { force: true },
    );
  }

  /** @param spec what it says otherwise or besides, another registry too; `undefined` takes a field away */
  async createAccount(
    name: string,
    spec: { [K in keyof RegistryAccountSpec]?: RegistryAccountSpec[K] | undefined } = {},
  ): Promise<void> {
    await this.client.create(REGISTRY_ACCOUNTS, {
      apiVersion: API_VERSION,
      kind: 'RegistryAccount',
      metadata: { name },
      spec: {
        ...(!PROVIDER_NAMES.some((each) => each in spec) && this.registryAt({})),
        credentialsSecretRef: { name: CREDENTIALS },
        limits: { maxAccess: 'ReadWrite', allowNeverExpiring: true },
        requestsPerSecond: 1000,
        // Its host is nowhere.
        verify: 'Never',
        ...spec,
      },
    });
  }

  async createToken(
    namespace: string,
    spec: RegistryTokenSpec = {},
    name = this.uniqueName('app'),
  ): Promise<ObjectName> {
    await this.client.create(REGISTRY_TOKENS, {
      apiVersion: API_VERSION,
      kind: 'RegistryToken',
      metadata: { name, namespace },
      spec,
    });
    return { namespace, name };
  }

  async createClusterToken(
    spec: ClusterRegistryToken['spec'],
    name = this.uniqueName('everywhere'),
  ): Promise<string> {
    await this.client.create(CLUSTER_REGISTRY_TOKENS, {
      apiVersion: API_VERSION,
      kind: 'ClusterRegistryToken',
      metadata: { name },
      spec,
    });
    return name;
  }

  clusterToken(name: string): Promise<ClusterRegistryToken> {
    return this.client.get<ClusterRegistryToken>(CLUSTER_REGISTRY_TOKENS, { name });
  }

  token(name: ObjectName): Promise<RegistryToken> {
    return this.client.get<RegistryToken>(REGISTRY_TOKENS, name);
  }

  account(name: string): Promise<RegistryAccount> {
    return this.client.get<RegistryAccount>(REGISTRY_ACCOUNTS, { name });
  }

  /** Changes a RegistryToken as `kubectl patch --type=merge` would. */
  async patchToken(name: ObjectName, patch: object): Promise<RegistryToken> {
    return this.client.mergePatch<RegistryToken>(REGISTRY_TOKENS, name, patch);
  }

  async deleteToken(name: ObjectName): Promise<void> {
    await this.client.delete(REGISTRY_TOKENS, name);
  }

  secret(name: ObjectName): Promise<SecretObject> {
    return this.client.get<SecretObject>(SECRETS, name);
  }

  /** Ids of the tokens of a RegistryToken that work. */
  tokensOf(uid: string): string[] {
    const tokens = this.registry.tokens().filter(({ description }) => description.includes(uid));
    return tokens.map(({ id }) => id);
  }

  /** Whether it is the value of this token; of one without an id at the registry: whether it is a value of the registry. */
  holds(value: string | undefined, id: string | undefined): boolean {
    if (value === undefined) return false;
    return CAPABILITIES.issue === 'minted'
      ? id !== undefined && this.registry.tokenOf(value) === id
      : this.registry.values().includes(value);
  }

  /** Whether a token works. */
  isAlive(id: string | undefined): boolean {
    return this.registry.tokens().some((token) => token.id === id);
  }

  /** Revokes a token behind the operator's back. */
  revokeAtRegistry(id: string): Promise<void> {
    return this.#asOther().revoke(id);
  }

  /** Issues a token without end, as an operator with the same account does. @returns its id */
  async issueAtRegistry(tag: Tag): Promise<string> {
    const { id, value } = await this.#asOther().issue(tag);
    registerSecret(value);
    return id;
  }

  #asOther(): OtherClient {
    return (this.#otherClient ??= new OtherClient(this.prepared, this.registryAt({})));
  }

  async exists(get: Promise<unknown>): Promise<boolean> {
    try {
      await get;
      return true;
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return false;
      throw error;
    }
  }

  /** Waits until there is no such RegistryToken any more. */
  async whenGone(name: ObjectName): Promise<void> {
    await this.eventually(`${name.name} is gone`, async () =>
      (await this.exists(this.token(name))) ? { seen: 'still there' } : { value: true },
    );
  }

  /** Reasons of the events about an object. */
  async eventReasons({ namespace, name }: ObjectName): Promise<string[]> {
    const { items } = await this.client.listPage<
      KubeObject & { reason: string; regarding: { name: string } }
    >(EVENTS, { namespace });
    return items.filter(({ regarding }) => regarding.name === name).map(({ reason }) => reason);
  }

  /** Waits until a RegistryToken's Ready condition has this status and reason and speaks of its present generation. */
  async whenReady(
    name: ObjectName,
    expected: { status?: 'True' | 'False'; reason?: string } = { status: 'True' },
    milliseconds?: number,
  ): Promise<RegistryToken> {
    const look = async (): Promise<{ value: RegistryToken } | { seen: string }> => {
      const token = await this.token(name);
      const ready = token.status?.conditions?.find(({ type }) => type === 'Ready');
      const current = ready?.observedGeneration === token.metadata.generation;
      const matches =
        (expected.status === undefined || ready?.status === expected.status) &&
        (expected.reason === undefined || ready?.reason === expected.reason);
      return current && matches ? { value: token } : { seen: JSON.stringify(token.status ?? 'no status') };
    };
    const what = `RegistryToken ${name.name} has Ready ${JSON.stringify(expected)}`;
    return this.eventually(what, look, milliseconds);
  }

  /** Polls until there is a value. @throws Error that says what was seen last, after half a minute unless told */
  async eventually<T>(
    what: string,
    look: () => Promise<{ value: T } | { seen: string }>,
    milliseconds = 30_000,
  ): Promise<T> {
    const deadline = clock.monotonic() + milliseconds;
    for (;;) {
      const result = await look();
      if ('value' in result) return result.value;
      if (clock.monotonic() > deadline) throw new Error(`waited for: ${what}; saw ${result.seen}`);
      await sleep(clock, 20);
    }
  }

  #connect(userAgent: string, kubeConfig = this.apiServer.kubeConfig): Transport {
    const transport = httpTransport(kubeConfig, { clock, logger: pino({ level: 'silent' }), userAgent });
    this.#transports.push(transport);
    return transport;
  }

  #intercepted(transport: Transport): Transport {
    return {
      request: (call) => {
        const pass = (): Promise<unknown> => transport.request(call);
        return this.intercept ? this.intercept(call, pass) : pass();
      },
      stream: (call) => transport.stream(call),
      close: () => transport.close(),
    };
  }

  #record(line: string): void {
    recordOutput(line, 'operator');
    this.log.push(JSON.parse(line) as Record<string, unknown>);
  }
}
