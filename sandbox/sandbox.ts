import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { API_VERSION } from '../src/api/names.ts';
import type { RegistryToken } from '../src/api/registry-token.ts';
import { findCondition } from '../src/api/conditions.ts';
import { formatDuration } from '../src/api/syntax/duration.ts';
import { REGISTRY_TOKENS } from '../src/api/resources.ts';
import { sleep, systemClock as clock } from '../src/common/clock.ts';
import { KubeClient } from '../src/kube/client/client.ts';
import { httpTransport } from '../src/kube/transport/http-transport.ts';
import type { Manifest } from '../src/kube/client/manifest.ts';
import { chartValues, type Example } from './chart-values.ts';
import { startCluster, writeKubeconfig } from './cluster.ts';
import { runCommand } from './command.ts';
import { startDockerRegistry } from './docker-registry.ts';
import { invitation } from './invitation.ts';
import { clockTime, narrate } from './narrator.ts';
import { OperatorProcess } from './operator-process.ts';
import type { Options } from './options.ts';
import { missingPrograms } from './programs.ts';
import { claimRunFolder } from './run-folder.ts';
import { installAccount, installDefinitions, type FakeAccount } from './setup.ts';
import { serve } from './registries/shared/http-server.ts';
import type { PreparedRegistry } from './registries/registry-kind.ts';
import { REGISTRIES } from './registries/registries.ts';
import type { FakeRegistry } from './registries/shared/fake-registry.ts';
import { Workloads, type WorkloadsOptions } from './workloads/workloads.ts';

export const OPERATOR_NAMESPACE = 'registry-token-operator';
const FOLDER = fileURLToPath(new URL('../.sandbox/', import.meta.url));
const EXAMPLE: Example['metadata'] = { namespace: 'default', name: 'app-pull' };
/** How long the example may take to become Ready, in milliseconds. */
const READY_TIME = 60_000;

/**
 * Starts everything, runs until the signal aborts or the command of `--exec` ends, and stops everything.
 * @param tell takes a line for the person at the terminal
 * @returns the exit code
 * @throws Error when something does not start
 */
export async function runSandbox(
  options: Options,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  tell: (line: string) => void,
): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const { path: folder, release } = await claimRunFolder(FOLDER);
  stack.defer(release);
  const kubeconfig = `${folder}kubeconfig`;
  const cluster = await startCluster(env['KUBEBUILDER_ASSETS']);
  stack.defer(cluster.stop);
  await writeKubeconfig(kubeconfig, cluster.kubeconfig);

  const { title, prepare } = REGISTRIES[options.registry];
  const registry = prepare(clock);
  const server = await serve(registry.fake, { port: 0 });
  stack.defer(() => server.close());

  const client = connect(cluster.kubeconfig, stack);
  if (!options.empty) await installDefinitions(client, signal);
  cluster.startControllers();
  const images = await startDistribution(registry.fake, server.url, folder, stack);
  // Without one the fake stands in: there is a /v2/ to log in at, and nothing behind it.
  const host = images ?? new URL(server.url).host;
  const account: FakeAccount = { registry, url: server.url, host };
  const place = { name: 'default', namespace: OPERATOR_NAMESPACE };
  if (!options.empty) await installAccount(client, { ...account, ...place }, signal);

  const failure = new AbortController();
  const running = AbortSignal.any([signal, failure.signal]);
  await rm(`${folder}pods`, { recursive: true, force: true });
  startWorkloads({ client, kubeconfig, folder, tell }, stack, (error) => failure.abort(error));
  if (options.operator) {
    const log = `${folder}operator.log`;
    await rm(log, { force: true });
    const operator = new OperatorProcess(operatorFlags(), kubeconfig, log, (code) => {
      failure.abort(new Error(`the operator ended (${code}); its log is ${log}`));
    });
    stack.defer(() => operator.stop());
  }
  narrate(registry.fake, tell);
  const wanted = example(registry, options);
  if (options.empty) {
    const values = `${folder}values.yaml`;
    stack.defer(() => rm(values, { force: true }));
    await writeFile(values, chartValues(account, wanted), { mode: 0o600 });
  }
  if (options.example) {
    await client.apply(REGISTRY_TOKENS, wanted, { force: true, signal: running });
    if (options.operator) await exampleReady(client, running, tell);
  }

  const whatIsBehind =
    images === undefined
      ? `No images: the program docker-registry is not on the PATH. ${title} lets clients log in at ${host}.`
      : `Images are in a registry at ${images}: docs/walkthrough.md pushes and pulls one.`;
  if (options.exec !== undefined) {
    tell(whatIsBehind);
    const variables = {
      KUBECONFIG: kubeconfig,
      REGISTRY_URL: server.url,
      REGISTRY_HOST: host,
      OPERATOR_NAMESPACE,
    };
    const code = await runCommand(options.exec, { ...env, ...variables }, running);
    failure.signal.throwIfAborted();
    return code;
  }
  const what = `A cluster (${cluster.title}) and ${title} (${server.url}) run.`;
  const invited = invitation(options, folder, operatorFlags());
  for (const line of ['', what, whatIsBehind, ...invited]) tell(line);
  await sleep(clock, Infinity, running).catch(() => undefined);
  if (failure.signal.aborted) throw failure.signal.reason as Error;
  tell('stopping');
  return 0;
}

/** Has Deployments of the operator's image run, as those of the chart. */
function startWorkloads(
  options: WorkloadsOptions,
  stack: AsyncDisposableStack,
  fail: (error: unknown) => void,
): void {
  const stop = new AbortController();
  const running = new Workloads(options).run(stop.signal).catch(fail);
  stack.defer(() => {
    stop.abort();
    return running;
  });
}

/** Starts a registry with images where there is a program for it. @returns its host */
async function startDistribution(
  authority: FakeRegistry,
  authorityUrl: string,
  runFolder: string,
  stack: AsyncDisposableStack,
): Promise<string | undefined> {
  if ((await missingPrograms('docker-registry')).length > 0) return undefined;
  const folder = await mkdtemp(`${runFolder}registry-`);
  stack.defer(() => rm(folder, { recursive: true }));
  const registry = await startDockerRegistry({ folder, authority, authorityUrl });
  stack.defer(() => registry.stop());
  return registry.host;
}

function connect(kubeconfig: string, stack: AsyncDisposableStack): KubeClient {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(kubeconfig);
  const logger = pino({ level: 'silent' });
  const transport = httpTransport(kubeConfig, { clock, logger, userAgent: 'sandbox' });
  stack.defer(() => transport.close());
  return new KubeClient(transport, { fieldManager: 'sandbox' });
}

function operatorFlags(): string[] {
  return [
    `--operator-namespace=${OPERATOR_NAMESPACE}`,
    '--metrics-bind-address=127.0.0.1:0',
    '--health-probe-bind-address=127.0.0.1:0',
    '--log-format=text',
    // Lifetimes of seconds make rotations so frequent that a budget would end them.
    '--mint-budget=0',
    // Short enough to see a predecessor revoked.
    '--default-grace-period=10s',
  ];
}

/** A RegistryToken that pulls what the registry's first scope names, if it has scopes. */
function example({ scopes }: PreparedRegistry, { tokenLifetime }: Options): Manifest & Example {
  const [scope] = scopes;
  return {
    apiVersion: API_VERSION,
    kind: 'RegistryToken',
    metadata: EXAMPLE,
    spec: {
      access: 'ReadOnly',
      lifetime: formatDuration(tokenLifetime),
      ...(scope !== undefined && { scope: [scope.name] }),
    },
  };
}

async function exampleReady(
  client: KubeClient,
  signal: AbortSignal,
  tell: (line: string) => void,
): Promise<void> {
  const { name } = EXAMPLE;
  const started = clock.monotonic();
  for (;;) {
    const { status } = await client.get<RegistryToken>(REGISTRY_TOKENS, EXAMPLE, { signal });
    const ready = findCondition(status?.conditions, 'Ready');
    if (ready?.status === 'True') {
      tell(`${clockTime(clock.now())}  ready    RegistryToken ${name}: ${ready.message}`);
      return;
    }
    if (clock.monotonic() - started > READY_TIME) {
      const why = ready ? `${ready.reason}: ${ready.message}` : 'nothing looks after it';
      throw new Error(`RegistryToken ${name} is not Ready after ${formatDuration(READY_TIME)}; ${why}`);
    }
    await sleep(clock, 50, signal);
  }
}
