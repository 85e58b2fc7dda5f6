/** A real API server with RBAC, a token service, and releases of the chart whose operator runs as a process of this machine. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { OperatorProcess } from '../../../sandbox/operator-process.ts';
import { whenServed } from '../../../sandbox/setup.ts';
import { serve, type Server } from '../../../sandbox/registries/shared/http-server.ts';
import { TokenService } from '../../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../../src/api/resources.ts';
import { sleep, systemClock as clock } from '../../../src/common/clock.ts';
import type { KubeObject, ObjectName } from '../../../src/common/objects.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { httpTransport } from '../../../src/kube/transport/http-transport.ts';
import { NAMESPACES, SECRETS } from '../../../src/kube/client/resources.ts';
import type { Transport } from '../../../src/kube/transport/transport.ts';
import { realAssets, startReal, type RunningApiServer } from '../../support/api-servers.ts';
import { freePort } from '../../../sandbox/free-port.ts';
import { recordOutput, registerSecret } from '../../support/secrecy.ts';
import {
  CHART,
  NAMESPACE,
  RELEASE,
  runProgram,
  withImage,
  type Helm,
  type Outcome,
  type Values,
} from './helm.ts';

export const HOST = 'registry.test:5000';
export const API_KEYS = ['the-first-key-of-the-account', 'the-second-key-of-the-account'] as const;
export const SERVICE_ACCOUNT = `system:serviceaccount:${NAMESPACE}:${RELEASE}-registry-token-operator`;
const ACCOUNT_ID = '0123456789abcdef0123456789abcdef';

/** An API server may be older than 1.23, which does not know rules in a CRD's schema: docs/install.md. */
const OLD_API_SERVER = { 3: [], 4: ['--server-side=false'] };

export class Installation {
  readonly client: KubeClient;
  readonly service: TokenService;
  readonly folder: string;
  /** How often a token was created, and revoked. */
  readonly counts = { issued: 0, revoked: 0 };
  readonly #apiServer: RunningApiServer;
  readonly #server: Server;
  readonly #transport: Transport;
  readonly #helm: Helm;
  #operator: { process: OperatorProcess; log: string } | undefined;

  /** On a real API server. Where none is named, skips what its hook prepares. */
  static async onRealServer(hook: Mocha.Context, helm: Helm): Promise<Installation> {
    if (realAssets === undefined) {
      process.stderr.write('skipped: KUBEBUILDER_ASSETS names no real API server\n');
      return hook.skip();
    }
    return Installation.on(await startReal(realAssets), helm);
  }

  static async on(apiServer: RunningApiServer, helm: Helm): Promise<Installation> {
    const service = new TokenService({
      clock,
      apiKeys: API_KEYS.map((key) => ({ key, accountId: ACCOUNT_ID })),
      host: HOST,
    });
    for (const key of API_KEYS) registerSecret(key);
    const folder = await mkdtemp(join(tmpdir(), 'chart-'));
    await writeFile(join(folder, 'admin.kubeconfig'), apiServer.kubeconfig, { mode: 0o600 });
    return new Installation(helm, apiServer, service, await serve(service, { port: 0 }), folder);
  }

  private constructor(
    helm: Helm,
    apiServer: RunningApiServer,
    service: TokenService,
    server: Server,
    folder: string,
  ) {
    this.#helm = helm;
    this.#apiServer = apiServer;
    this.#server = server;
    this.service = service;
    this.folder = folder;
    service.on('issued', () => this.counts.issued++);
    service.on('revoked', () => this.counts.revoked++);
    const logger = pino({ level: 'silent' });
    this.#transport = httpTransport(apiServer.kubeConfig, { clock, logger, userAgent: 'test' });
    this.client = new KubeClient(this.#transport, { fieldManager: 'test' });
  }

  async close(): Promise<void> {
    await this.stopOperator();
    for (const value of this.service.values()) registerSecret(value);
    await this.#transport.close();
    await this.#server.close();
    await this.#apiServer.close();
    await rm(this.folder, { recursive: true });
  }

  /** Values of an account whose only region is the token service. */
  account(fields: Values = {}): Values {
    const { url } = this.#server;
    return {
      ibmRegistryTokens: { iamEndpoint: url },
      credentialsSecretRef: { name: 'ibm-cloud' },
      regions: [{ name: 'us-south', host: HOST, endpoint: url }],
      requestsPerSecond: 1000,
      ...fields,
    };
  }

  async createNamespaces(...names: string[]): Promise<void> {
    for (const name of names) {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
      await this.client.apply(NAMESPACES, namespace, { force: true });
    }
  }

  async setKey(key: string): Promise<void> {
    const data = { apikey: Buffer.from(key).toString('base64') };
    const metadata = { name: 'ibm-cloud', namespace: NAMESPACE };
    await this.client.apply(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata, data }, { force: true });
  }

  /** Runs helm as the cluster's administrator. @throws Error with what it said when it fails */
  async helm(args: readonly string[], values?: Values): Promise<string> {
    return said(await this.tryHelm(args, values));
  }

  tryHelm(args: readonly string[], values?: Values): Promise<Outcome> {
    const input = values === undefined ? '' : JSON.stringify(values);
    const from = values === undefined ? [] : ['--values', '-'];
    return this.#helm.run([...args, '--namespace', NAMESPACE, ...from], input, this.#environment);
  }

  /** Installs or upgrades to a chart, and waits until its kinds are served. */
  async upgrade(values: Values, chart = CHART): Promise<string> {
    const notes = said(await this.tryUpgrade(values, chart));
    await this.whenKindsServed();
    return notes;
  }

  /** Waits for the kinds whose CRDs were made, then lets namespaces and owned objects be deleted. */
  async whenKindsServed(): Promise<void> {
    const { signal } = new AbortController();
    for (const kind of [REGISTRY_ACCOUNTS, REGISTRY_TOKENS]) await whenServed(this.client, kind, signal);
    this.#apiServer.startControllers?.();
  }

  tryUpgrade(values: Values, chart = CHART): Promise<Outcome> {
    const args = ['upgrade', '--install', RELEASE, chart, ...OLD_API_SERVER[this.#helm.major]];
    return this.tryHelm(args, withImage(values));
  }

  /**
   * Upgrades to the project's chart with the values of the release there is.
   * @param reuse how helm is to take them over. @throws Error with what it said when it fails
   */
  async upgradeAgain(reuse: string): Promise<string> {
    return this.helm(['upgrade', RELEASE, CHART, reuse, ...OLD_API_SERVER[this.#helm.major]]);
  }

  /** Runs shell commands as the cluster's administrator, with kubectl on the path. @throws Error with what they said */
  async shell(commands: string): Promise<string> {
    const PATH = `${dirname(this.#helm.tools.kubectl)}:${process.env['PATH']}`;
    return said(await runProgram('sh', ['-ec', commands], '', { ...this.#environment, PATH }));
  }

  /** What the release's Deployment has its operator started with. */
  async operatorArgs(): Promise<string[]> {
    const deployment = `deployment ${RELEASE}-registry-token-operator`;
    const path = '{.spec.template.spec.containers[0].args}';
    return JSON.parse(
      await this.kubectl(`--namespace ${NAMESPACE} get ${deployment} --output jsonpath=${path}`),
    ) as string[];
  }

  /** @param line arguments, separated by spaces. @throws Error with what kubectl said when it fails */
  async kubectl(line: string): Promise<string> {
    return said(await this.tryKubectl(line.split(' ')));
  }

  tryKubectl(args: readonly string[], input = ''): Promise<Outcome> {
    return runProgram(this.#helm.tools.kubectl, args, input, this.#environment);
  }

  /** Starts what the release's Deployment says, as its ServiceAccount; the one that runs, if any, is stopped first. */
  async startOperator(): Promise<void> {
    await this.stopOperator();
    const [ready, kubeconfig] = [await freePort(), await this.#kubeconfigOfOperator()];
    const args = await this.operatorArgs();
    const local = ['--metrics-bind-address=0', `--health-probe-bind-address=127.0.0.1:${ready}`];
    const log = join(this.folder, `operator-${ready}.log`);
    await writeFile(log, '');
    const failed = (code: string): void => recordOutput(`operator ended: ${code}\n`, 'operator');
    this.#operator = { process: new OperatorProcess([...args, ...local], kubeconfig, log, failed), log };
    await this.eventually('the operator is ready', async () => {
      const answer = await fetch(`http://127.0.0.1:${ready}/readyz?verbose`).catch(() => undefined);
      return answer?.ok ? { value: true } : { seen: (await answer?.text()) ?? (await this.log()) };
    });
  }

  async stopOperator(): Promise<void> {
    if (!this.#operator) return;
    await this.#operator.process.stop();
    recordOutput(await this.log(), 'operator');
    this.#operator = undefined;
  }

  /** What the operator that runs has logged. */
  async log(): Promise<string> {
    return this.#operator ? readFile(this.#operator.log, 'utf8') : '';
  }

  token({ namespace, name }: ObjectName): Promise<RegistryToken> {
    return this.client.get<RegistryToken>(REGISTRY_TOKENS, { namespace, name });
  }

  secret({ namespace, name }: ObjectName): Promise<KubeObject & { data: Record<string, string> }> {
    return this.client.get(SECRETS, { namespace, name });
  }

  /** Waits until a RegistryToken is Ready as it is now, and `more` holds. */
  whenReady(name: ObjectName, more: (token: RegistryToken) => boolean = () => true): Promise<RegistryToken> {
    return this.eventually(`RegistryToken ${name.name} is Ready`, async () => {
      const token = await this.token(name);
      const ready = token.status?.conditions?.find(({ type }) => type === 'Ready');
      const current = ready?.status === 'True' && ready.observedGeneration === token.metadata.generation;
      return current && more(token) ? { value: token } : { seen: JSON.stringify(token.status ?? {}) };
    });
  }

  /** Polls until there is a value. @throws Error that says what was seen last, after half a minute */
  async eventually<T>(what: string, look: () => Promise<{ value: T } | { seen: string }>): Promise<T> {
    const deadline = clock.monotonic() + 30_000;
    for (;;) {
      const result = await look();
      if ('value' in result) return result.value;
      if (clock.monotonic() > deadline) throw new Error(`waited for: ${what}; saw ${result.seen}`);
      await sleep(clock, 50);
    }
  }

  get #environment(): NodeJS.ProcessEnv {
    return { KUBECONFIG: join(this.folder, 'admin.kubeconfig'), HELM_CACHE_HOME: this.folder };
  }

  async #kubeconfigOfOperator(): Promise<string> {
    const user = `${RELEASE}-registry-token-operator`;
    const token = (await this.kubectl(`--namespace ${NAMESPACE} create token ${user}`)).trim();
    registerSecret(token);
    const cluster = this.#apiServer.kubeConfig.getCurrentCluster();
    const path = join(this.folder, 'operator.kubeconfig');
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [
        {
          name: 'test',
          cluster: { server: cluster?.server, 'certificate-authority-data': cluster?.caData },
        },
      ],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user } }],
    };
    await writeFile(path, JSON.stringify(config), { mode: 0o600 });
    return path;
  }
}

function said({ status, stdout, stderr }: Outcome): string {
  if (status !== 0) throw new Error(stderr);
  return stdout;
}
