/** A real cluster with one node that runs pods, made by a script; a token service that its pods can reach. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kubeconfigFor } from '../../../sandbox/apiserver/kubeconfig.ts';
import { serve } from '../../../sandbox/registries/shared/http-server.ts';
import { TokenService } from '../../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import { buildImage } from '../../../scripts/image.ts';
import { systemClock as clock } from '../../../src/common/clock.ts';
import type { KubeClient } from '../../../src/kube/client/client.ts';
import { startNode } from '../../support/node.ts';
import { registerSecret } from '../../support/secrecy.ts';
import { startExecProxy } from './exec-proxy.ts';
import { createPodNetwork, GATEWAY } from './pod-network.ts';

const run = promisify(execFile);

export const IMAGE = { repository: 'local.test/registry-token-operator', tag: '1' };
export const API_KEY = 'api-key-of-the-pods-account';

export interface NodeCluster extends AsyncDisposable {
  /** Path of the administrator's. */
  kubeconfig: string;
  /** Path of one with which `kubectl exec` works, too. */
  execKubeconfig: string;
  client: KubeClient;
  service: TokenService;
  serviceUrl: string;
  /** Process ids of the containers that run the image, as this machine has them. */
  processes(): Promise<number[]>;
}

/**
 * Starts the cluster and imports the operator's image into its node.
 * @param script `up --dir DIR --port PORT --node --group VERSION.GROUP` starts a cluster with DIR/admin.kubeconfig and
 * DIR/containerd.sock, whose containerd takes network plugins from DIR/cni; `down --dir DIR` ends it
 */
export async function startNodeCluster(script: string): Promise<NodeCluster> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'node-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const node = stack.use(await startNode(script));
  const { client, folder: directory } = node;
  stack.defer(await createPodNetwork(join(directory, 'cni'), node.port));
  const containers = ['--address', join(directory, 'containerd.sock'), '--namespace', 'k8s.io'];
  const name = `${IMAGE.repository}:${IMAGE.tag}`;
  const image = await buildImage({ folder, name, revision: 'test', time: 0 });
  const archive = join(folder, 'image.tar');
  await writeFile(archive, image.archive);
  await run('ctr', [...containers, 'images', 'import', archive]);

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
  const proxy = await startExecProxy(node.apiServer);
  stack.defer(() => proxy.close());
  const execKubeconfig = join(folder, 'exec.kubeconfig');
  await writeFile(execKubeconfig, kubeconfigFor(proxy.url));
  const started = stack.move();
  return {
    kubeconfig: join(directory, 'admin.kubeconfig'),
    execKubeconfig,
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
