/** A real cluster with one node that runs pods, made by a script. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { glob, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { systemClock as clock } from '../../src/common/clock.ts';
import { KubeClient } from '../../src/kube/client/client.ts';
import { httpTransport } from '../../src/kube/transport/http-transport.ts';
import type { RunningApiServer } from './api-servers.ts';
import { recordOutput } from './secrecy.ts';

const run = promisify(execFile);
/** Where a kubelet keeps what containers write, whatever its other folders. */
const LOGS = '/var/log/pods';
/** Its kinds are those of a current Kubernetes, whatever the rest of the cluster is. */
const GROUP = 'v1alpha1.pullsecrets.dev';
const FIRST_PORT = 16_443;
const LAST_PORT = 26_443;

/** Programs that the script needs for a node. */
export const NODE_PROGRAMS = ['containerd', 'ctr', 'runc', 'jq', 'busybox'];

export interface RunningNode extends AsyncDisposable {
  apiServer: RunningApiServer;
  client: KubeClient;
  /** What the script made: admin.kubeconfig, containerd.sock, and cni for network plugins. */
  folder: string;
  port: number;
}

/**
 * Starts the cluster. Its pods have no network of their own, unless there are plugins in the folder's cni.
 * @param script `up --dir DIR --port PORT --node --group VERSION.GROUP` starts a cluster, `down --dir DIR` ends it
 */
export async function startNode(script: string): Promise<RunningNode> {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'node-'));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  stack.defer(await watchLogs());
  const [folder, port] = [join(home, 'cluster'), await freePorts()];
  stack.defer(() => run(script, ['down', '--dir', folder]).then(() => undefined));
  // Its processes go on in the background and keep the output open.
  const command = '"$0" up --dir "$1" --port "$2" --node --group "$3" >"$4" 2>&1';
  await run('sh', ['-c', command, script, folder, String(port), GROUP, join(home, 'up.log')]);

  const kubeconfig = await readFile(join(folder, 'admin.kubeconfig'), 'utf8');
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(kubeconfig);
  const logger = pino({ level: 'silent' });
  const transport = httpTransport(kubeConfig, { clock, logger, userAgent: 'test' });
  stack.defer(() => transport.close());
  const client = new KubeClient(transport, { fieldManager: 'test' });
  const started = stack.move();
  const close = (): Promise<void> => started.disposeAsync();
  const url = `https://127.0.0.1:${port}`;
  return {
    apiServer: { kind: 'real', url, kubeconfig, kubeConfig, close },
    client,
    folder,
    port,
    [Symbol.asyncDispose]: close,
  };
}

/** @returns a function that has what the pods since then wrote searched for secrets, and removes it */
async function watchLogs(): Promise<() => Promise<void>> {
  const before = new Set(await readdir(LOGS).catch(() => []));
  return async () => {
    const folders = (await readdir(LOGS).catch(() => [])).filter((name) => !before.has(name));
    for (const name of folders.map((each) => join(LOGS, each))) {
      for await (const path of glob(join(name, '**/*.log'))) recordOutput(await readFile(path, 'utf8'), path);
      await rm(name, { recursive: true, force: true });
    }
  };
}

/** The first of four ports in a row that are free on loopback. */
async function freePorts(): Promise<number> {
  for (let port = FIRST_PORT; port < LAST_PORT; port += 10) {
    if ((await Promise.all([port, port + 1, port + 2, port + 3].map(isFree))).every(Boolean)) return port;
  }
  throw new Error(`no four free ports from ${FIRST_PORT} to ${LAST_PORT}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
