/** A real cluster with one node that runs pods, made by a script; a token service that its pods can reach. */
import { execFile } from 'node:child_process';
import { glob, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { aggregate } from '../../../sandbox/aggregation.ts';
import { serve } from '../../../sandbox/token-service/http-server.ts';
import { TokenService } from '../../../sandbox/token-service/token-service.ts';
import { buildImage } from '../../../scripts/image.ts';
import { systemClock as clock } from '../../../src/common/clock.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { httpTransport } from '../../../src/kube/http-transport.ts';
import { recordOutput, registerSecret } from '../../support/secrecy.ts';
import { createPodNetwork, GATEWAY } from './pod-network.ts';

const run = promisify(execFile);

export const IMAGE = { repository: 'local.test/registry-token-operator', tag: '1' };
export const API_KEY = 'api-key-of-the-pods-account';
/** Where a kubelet keeps what containers write, whatever its other folders. */
const LOGS = '/var/log/pods';
const FIRST_PORT = 16_443;
const LAST_PORT = 26_443;

export interface NodeCluster extends AsyncDisposable {
  /** Path of the administrator's. */
  kubeconfig: string;
  client: KubeClient;
  service: TokenService;
  serviceUrl: string;
  /** Process ids of the containers that run the image, as this machine has them. */
  processes(): Promise<number[]>;
}

/**
 * Starts the cluster and imports the operator's image into its node.
 * @param script `up --dir DIR --port PORT --node` starts a cluster with DIR/admin.kubeconfig and DIR/containerd.sock, whose
 * containerd takes network plugins from DIR/cni; `down --dir DIR` ends it
 */
export async function startNodeCluster(script: string): Promise<NodeCluster> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'node-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  stack.defer(await watchLogs());
  const [directory, port] = [join(folder, 'cluster'), await freePorts()];
  stack.defer(() => run(script, ['down', '--dir', directory]).then(() => undefined));
  // Its processes go on in the background and keep the output open.
  await run('sh', [
    '-c',
    '"$0" up --dir "$1" --port "$2" --node >"$3" 2>&1',
    script,
    directory,
    String(port),
    join(folder, 'up.log'),
  ]);
  stack.defer(await createPodNetwork(join(directory, 'cni'), port));
  const containers = ['--address', join(directory, 'containerd.sock'), '--namespace', 'k8s.io'];
  const name = `${IMAGE.repository}:${IMAGE.tag}`;
  const image = await buildImage({ folder, name, revision: 'test', time: 0 });
  const archive = join(folder, 'image.tar');
  await writeFile(archive, image.archive);
  await run('ctr', [...containers, 'images', 'import', archive]);

  const kubeconfig = join(directory, 'admin.kubeconfig');
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(await readFile(kubeconfig, 'utf8'));
  const transport = httpTransport(kubeConfig, {
    clock,
    logger: pino({ level: 'silent' }),
    userAgent: 'test',
  });
  stack.defer(() => transport.close());
  const client = new KubeClient(transport, { fieldManager: 'test' });
  stack.defer(await aggregate(client, new AbortController().signal));

  const service = new TokenService({
    clock,
    apiKeys: [{ key: API_KEY, accountId: '0123456789abcdef0123456789abcdef' }],
  });
  const server = await serve(service, { port: 0, host: GATEWAY });
  stack.defer(() => server.close());
  registerSecret(API_KEY);
  stack.defer(() => {
    for (const value of service.values()) registerSecret(value);
  });
  const started = stack.move();
  return {
    kubeconfig,
    client,
    service,
    serviceUrl: server.url,
    async processes() {
      const tasks = (await run('ctr', [...containers, 'tasks', 'list'])).stdout.trim().split('\n').slice(1);
      const ours = (await run('ctr', [...containers, 'containers', 'list', `image==${name}`])).stdout;
      return tasks
        .map((line) => line.split(/\s+/))
        .flatMap(([id = '', pid]) => (ours.includes(id) ? Number(pid) : []));
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
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

/** The first of three ports in a row that are free on loopback. */
async function freePorts(): Promise<number> {
  for (let port = FIRST_PORT; port < LAST_PORT; port += 10) {
    if ((await Promise.all([port, port + 1, port + 2].map(isFree))).every(Boolean)) return port;
  }
  throw new Error(`no three free ports from ${FIRST_PORT} to ${LAST_PORT}`);
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
