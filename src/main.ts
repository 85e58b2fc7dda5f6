import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import packageJson from '../package.json' with { type: 'json' };
import { OPERATOR } from './api/names.ts';
import { systemClock as clock } from './common/clock.ts';
import { parseConfig, type BindAddress, type Config } from './config/config.ts';
import type { ClusterRegistryToken } from './api/cluster-registry-token.ts';
import type { RegistryAccount } from './api/registry-account.ts';
import type { RegistryToken } from './api/registry-token.ts';
import { Operator } from './controller/operator.ts';
import { KubeClient } from './kube/client/client.ts';
import { fenced } from './kube/election/fence.ts';
import { httpTransport } from './kube/transport/http-transport.ts';
import { loadKubeConfig } from './kube/kubeconfig/kube-config.ts';
import { LeaderElector } from './kube/election/leader-election.ts';
import { healthRoutes, watchCheck, workCheck, type Checks } from './ops/health.ts';
import { ListenError, serve, type Answer, type HttpServer, type Routes } from './ops/http-server.ts';
import { createLogger } from './ops/logger.ts';
import { Metrics } from './ops/metrics.ts';
import { SecretScrubber } from './ops/secret-scrubber.ts';
import { RegistryDirectory } from './registry/directory.ts';
import { MAX_REQUESTS } from './registry/port.ts';
import { registryProxy } from './registry/http/proxy.ts';

const SERVICE_ACCOUNT_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';
/** Longer than one reconcile should take beside the requests that issue a token, waiting for the account's rate included, in milliseconds. */
const MAX_RECONCILE = 600_000;

const parsed = parseConfig(process.argv.slice(2), process.env, {
  version: packageJson.version,
  serviceAccountNamespace() {
    try {
      return readFileSync(SERVICE_ACCOUNT_NAMESPACE, 'utf8');
    } catch {
      return undefined;
    }
  },
});
if ('exit' in parsed) {
  (parsed.exit === 0 ? process.stdout : process.stderr).write(`${parsed.output.trimEnd()}\n`);
  process.exitCode = parsed.exit;
} else {
  try {
    process.exitCode = await main(parsed.config);
  } catch (error) {
    process.stderr.write(
      `${OPERATOR}: can't start: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}

async function main(config: Config): Promise<number> {
  const random = Math.random;
  const identity = `${hostname()}_${randomUUID()}`;
  const userAgent = `${OPERATOR}/${packageJson.version}`;
  const scrubber = new SecretScrubber();
  const write = (line: string): void => void process.stdout.write(line);
  const { logLevel: level, logFormat: format } = config;
  const logger = createLogger({ level, format, clock, scrubber, write });
  const ending = new AbortController();
  const stop = ending.signal;
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      logger.info({ signal: name }, 'stopping');
      ending.abort();
    });
  }
  // What nobody caught must not reach the terminal past the scrubber.
  process.on('uncaughtException', (error) => {
    logger.error({ err: error }, 'a mistake in the program; ending');
    process.exit(1);
  });

  let listTokens = (): Iterable<RegistryToken> => [];
  let listAccounts = (): Iterable<RegistryAccount> => [];
  let listClusterTokens = (): Iterable<ClusterRegistryToken> => [];
  const metrics = new Metrics({
    version: packageJson.version,
    nodeVersion: process.versions.node,
    clock,
    listTokens: () => listTokens(),
    listAccounts: () => listAccounts(),
    listClusterTokens: () => listClusterTokens(),
  });
  const kubeConfig = loadKubeConfig(process.env.KUBECONFIG);
  const transport = httpTransport(kubeConfig, { clock, logger, userAgent, metrics: metrics.kubeClient });
  // A transport of its own: whatever the work waits for, the lease is renewed.
  const leaseTransport = httpTransport(kubeConfig, { clock, logger, userAgent, metrics: metrics.kubeClient });
  const elector = config.leaderElect
    ? new LeaderElector({
        client: new KubeClient(leaseTransport, { fieldManager: OPERATOR }),
        namespace: config.operatorNamespace,
        name: OPERATOR,
        identity,
        clock,
        random,
        logger,
        leaseDuration: config.leaderElectLeaseDuration,
        renewDeadline: config.leaderElectRenewDeadline,
        retryPeriod: config.leaderElectRetryPeriod,
        metrics: metrics.kubeClient,
      })
    : undefined;
  const assertLeader = elector && ((): void => elector.assertLeader());
  const directory = new RegistryDirectory({
    clock,
    userAgent,
    timeout: config.registryTimeout,
    metrics: metrics.registryClient,
    guard: assertLeader,
    proxy: registryProxy(process.env),
    environment: process.env,
  });
  const operator = new Operator({
    settings: config,
    client: new KubeClient(assertLeader ? fenced(transport, assertLeader) : transport, {
      fieldManager: OPERATOR,
    }),
    directory,
    identity,
    protect: (secret) => scrubber.register(secret),
    metrics: {
      token: metrics.token,
      reflector: metrics.kubeClient,
      workers: metrics.reconcile,
      queue: (controller) => metrics.workQueues.queue(controller),
    },
    logger,
    clock,
    random,
  });
  listTokens = () => operator.watches.tokens();
  listAccounts = () => operator.watches.accounts();
  listClusterTokens = () => operator.watches.clusterTokens?.list() ?? [];

  const readiness: Checks = Object.fromEntries(
    operator.watches.watches.map((watch) => [watch.title, watchCheck(() => watch.health)]),
  );
  const longest = MAX_RECONCILE + MAX_REQUESTS * config.registryTimeout;
  const liveness: Checks = { work: workCheck(() => operator.longestRunning, longest) };
  const scrape = async (): Promise<Answer> => ({
    status: 200,
    contentType: metrics.contentType,
    body: await metrics.text(),
  });
  const pages: [BindAddress | null, Routes][] = [
    [config.healthProbeBindAddress, healthRoutes({ liveness, readiness })],
    [config.metricsBindAddress, { '/metrics': scrape }],
  ];
  const servers: HttpServer[] = [];
  let watching: Promise<void> | undefined;
  try {
    for (const [address, routes] of pages) {
      if (address) servers.push(await serve(address, routes, { clock, log: logger }));
    }
    watching = operator.watch(stop);
    const lead = (signal: AbortSignal): Promise<void> => operator.lead(signal);
    await (elector ? elector.run(lead, stop) : lead(stop));
    return 0;
  } catch (error) {
    if (stop.aborted) return 0;
    if (error instanceof ListenError) throw error;
    logger.error({ err: error }, 'ending');
    return 1;
  } finally {
    ending.abort();
    await watching;
    await Promise.all(servers.map((server) => server.close()));
    await Promise.all([transport.close(), leaseTransport.close()]);
  }
}
