import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { startCluster, writeKubeconfig } from '../../../sandbox/cluster.ts';
import { installAccount, installDefinitions } from '../../../sandbox/setup.ts';
import { serve } from '../../../sandbox/registries/shared/http-server.ts';
import { REGISTRIES } from '../../../sandbox/registries/registries.ts';
import type { FakeRegistry } from '../../../sandbox/registries/shared/fake-registry.ts';
import { systemClock as clock } from '../../../src/common/clock.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { httpTransport } from '../../../src/kube/transport/http-transport.ts';
import { recordOutput, registerSecret } from '../../support/secrecy.ts';
import { freePort } from '../../../sandbox/free-port.ts';

const NAMESPACE = 'registry-token-operator';

export interface RunningOperator extends AsyncDisposable {
  client: KubeClient;
  /** The registry it works with. */
  service: FakeRegistry;
  /** Host and port of its metrics. */
  metrics: string;
  /** Ends the operator alone. */
  stop(): Promise<void>;
}

/** The operator as a process, beside an embedded API server and a token service with an account for it. */
export async function startOperator(folder: string): Promise<RunningOperator> {
  const stack = new AsyncDisposableStack();
  const cluster = await startCluster(undefined);
  stack.defer(cluster.stop);
  const kubeconfig = join(folder, 'kubeconfig');
  await writeKubeconfig(kubeconfig, cluster.kubeconfig);
  const registry = REGISTRIES['ibm-registry-tokens'].prepare(clock);
  const { fake: service } = registry;
  const server = await serve(service, { port: 0 });
  stack.defer(() => server.close());
  registerSecret(registry.credentials['apikey'] ?? '');

  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(cluster.kubeconfig);
  const transport = httpTransport(kubeConfig, {
    clock,
    logger: pino({ level: 'silent' }),
    userAgent: 'tests',
  });
  stack.defer(() => transport.close());
  const client = new KubeClient(transport, { fieldManager: 'tests' });
  const { signal } = new AbortController();
  await installDefinitions(client, signal);
  const host = new URL(server.url).host;
  await installAccount(
    client,
    { name: 'default', namespace: NAMESPACE, registry, url: server.url, host },
    signal,
  );

  const metrics = `127.0.0.1:${await freePort()}`;
  const flags = [
    `--operator-namespace=${NAMESPACE}`,
    `--metrics-bind-address=${metrics}`,
    '--health-probe-bind-address=0',
    '--count-pods=true',
    '--cluster-tokens=true',
  ];
  const child = spawn(process.execPath, ['src/main.ts', ...flags], {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.on('data', (chunk: Buffer) => recordOutput(chunk.toString(), 'operator'));
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill();
    await exited;
  };
  stack.defer(stop);
  return { client, service, metrics, stop, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
