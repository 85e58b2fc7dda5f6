/** A cluster, a token service and the operator, for integration tests: real sockets, real time, one process. */
import type { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { API_VERSION } from '../../src/api/names.ts';
import type { RegistryAccount, RegistryAccountSpec } from '../../src/api/registry-account.ts';
import type { RegistryToken, RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import type { KubeObject, ObjectName } from '../../src/common/objects.ts';
import { Operator, type OperatorSettings } from '../../src/controller/operator.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/controller/shared/resources.ts';
import { KubeClient } from '../../src/kube/client/client.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import { httpTransport } from '../../src/kube/transport/http-transport.ts';
import { EVENTS, NAMESPACES, SECRETS } from '../../src/kube/client/resources.ts';
import type { Call, Transport } from '../../src/kube/transport/transport.ts';
import { Metrics } from '../../src/ops/metrics.ts';
import { RegistryDirectory } from '../../src/registry/directory.ts';
import type { Secret } from '../../src/token/secret/secret.ts';
import { serve, type Server } from '../../sandbox/registries/shared/http-server.ts';
import {
  TokenService,
  type TokenServiceOptions,
} from '../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import { installDefinitions } from '../../sandbox/setup.ts';
import { startApiServer, type RunningApiServer } from './api-servers.ts';
import { recordOutput, registerSecret } from './secrecy.ts';

export const OPERATOR_NAMESPACE = 'operator-system';
export const API_KEY = 'an-api-key-that-nobody-may-see';
export const HOST = 'registry.test:5000';
const TOKEN_LIFETIME = 24 * 3_600_000;

export type SecretObject = Secret & KubeObject;

interface RunningOperator {
  stop: AbortController;
  done: Promise<unknown>;
}

/** Everything an integration test works with. */
export class World {
  readonly client: KubeClient;
  readonly service: TokenService;
  /** Every line the operator logged. */
  readonly log: Record<string, unknown>[] = [];
  readonly apiServer: RunningApiServer;
  /** Gets each of the operator's calls to the API server in the server's place, watches left out, and may pass it on. */
  intercept: ((call: Call, pass: () => Promise<unknown>) => Promise<unknown>) | undefined;
  readonly #server: Server;
  readonly #transports: Transport[] = [];
  #operator: RunningOperator | undefined;
  #names = 0;

  /**
   * Starts a cluster with the CRDs, a token service and an account named default that works.
   * @param options of the token service
   * @param running the cluster's API server, if one is there already
   */
  static async start(options: Partial<TokenServiceOptions> = {}, running?: RunningApiServer): Promise<World> {
    const apiServer = running ?? (await startApiServer());
    const service = new TokenService({
      clock,
      apiKeys: [{ key: API_KEY, accountId: 'account-1' }],
      host: HOST,
      tokenLifetime: TOKEN_LIFETIME,
      ...options,
    });
    registerSecret(API_KEY);
    const world = new World(apiServer, service, await serve(service, { port: 0 }));
    await installDefinitions(world.client, new AbortController().signal);
    apiServer.startControllers?.();
    await world.createNamespace(OPERATOR_NAMESPACE);
    await world.setCredentials('ibm-cloud', { apikey: API_KEY });
    await world.createAccount('default');
    return world;
  }

  private constructor(apiServer: RunningApiServer, service: TokenService, server: Server) {
    this.apiServer = apiServer;
    this.#server = server;
    this.service = service;
    this.client = new KubeClient(this.#connect('test'), { fieldManager: 'test' });
  }

  /** Whether the API server takes events about accounts, which have no namespace: older releases do not (docs/testing.md). */
  get keepsAccountEvents(): boolean {
    return this.apiServer.kind === 'embedded';
  }

  /** Where the token service is. */
  get serviceUrl(): string {
    return this.#server.url;
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
        evictPods: false,
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
    for (const value of this.service.values()) registerSecret(value);
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

  async setCredentials(name: string, data: Record<string, string>): Promise<void> {
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    await this.client.apply(
      SECRETS,
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace: OPERATOR_NAMESPACE },
        data: Object.fromEntries(encoded) as Record<string, string>,
      },
      { force: true },
    );
  }

  /** @param spec of IBM registry tokens, unless it says otherwise; `undefined` takes a field away */
  async createAccount(
    name: string,
    spec: { [K in keyof RegistryAccountSpec]?: RegistryAccountSpec[K] | undefined } = {},
  ): Promise<void> {
    const { url } = this.#server;
    await this.client.create(REGISTRY_ACCOUNTS, {
      apiVersion: API_VERSION,
      kind: 'RegistryAccount',
      metadata: { name },
      spec: {
        ibmRegistryTokens: { iamEndpoint: url },
        credentialsSecretRef: { name: 'ibm-cloud' },
        regions: [{ name: 'us-south', host: HOST, endpoint: url }],
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

  /** Revokes a token behind the operator's back. */
  async removeAtRegistry(id: string): Promise<void> {
    await this.#askRegistry('DELETE', `/${id}`);
  }

  /** Issues a token, never to expire, that another client of the registry account asks for. */
  async issueAtRegistry(description: string): Promise<void> {
    await this.#askRegistry('POST', `?permanent=true&description=${encodeURIComponent(description)}`);
  }

  async #askRegistry(method: string, path: string): Promise<void> {
    const { url } = this.#server;
    const exchange = await fetch(`${url}/identity/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
        apikey: API_KEY,
      }),
    });
    const { access_token: bearer } = (await exchange.json()) as { access_token: string };
    const headers = { authorization: `Bearer ${bearer}`, account: 'account-1' };
    await fetch(`${url}/api/v1/tokens${path}`, { method, headers });
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
