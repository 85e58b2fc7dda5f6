import { writeFile } from 'node:fs/promises';
import { serve } from './apiserver/http-server.ts';
import { kubeconfigFor } from './apiserver/kubeconfig.ts';
import { ApiServer } from './apiserver/server.ts';
import { startControlPlane } from '../test/support/control-plane.ts';

export interface Cluster {
  /** What it is, for people. */
  title: string;
  /** A kubeconfig's text. */
  kubeconfig: string;
  stop: () => Promise<void>;
}

/** Starts the real control plane whose binaries are in `assets`, or without it the embedded API server. */
export async function startCluster(assets: string | undefined): Promise<Cluster> {
  if (assets) {
    const { kubeconfig, stop } = await startControlPlane(assets);
    return { title: 'kube-apiserver', kubeconfig, stop };
  }
  const server = new ApiServer();
  const serving = await serve(server, { host: '127.0.0.1', port: 0 });
  const stop = async (): Promise<void> => {
    server.close();
    await serving.close();
  };
  return { title: 'embedded API server', kubeconfig: kubeconfigFor(serving.url), stop };
}

/** Writes a kubeconfig where only its owner can read it. */
export async function writeKubeconfig(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
}
