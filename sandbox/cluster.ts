import { writeFile } from 'node:fs/promises';
import { serve } from './apiserver/http-server.ts';
import { kubeconfigFor } from './apiserver/kubeconfig.ts';
import { ApiServer } from './apiserver/server.ts';
import { startControlPlane } from './control-plane.ts';

export interface Cluster {
  /** What it is, for people. */
  title: string;
  url: string;
  /** A kubeconfig's text. */
  kubeconfig: string;
  /** Starts garbage collection and namespace deletion, for which the kinds are served by now. */
  startControllers: () => void;
  stop: () => Promise<void>;
}

/** Starts the real control plane whose binaries are in `assets`, or without it the embedded API server. */
export function startCluster(assets: string | undefined): Promise<Cluster> {
  return assets ? startRealCluster(assets) : startEmbeddedCluster();
}

async function startEmbeddedCluster(): Promise<Cluster> {
  const server = new ApiServer();
  const { url, close } = await serve(server, { host: '127.0.0.1', port: 0 });
  const stop = async (): Promise<void> => {
    server.close();
    await close();
  };
  return {
    title: 'embedded API server',
    url,
    kubeconfig: kubeconfigFor(url),
    startControllers: () => {},
    stop,
  };
}

async function startRealCluster(assets: string): Promise<Cluster> {
  const { url, kubeconfig, ownCustomResources, startControllers, stop } = await startControlPlane(assets);
  const title = ownCustomResources ? 'kube-apiserver and apiextensions-apiserver' : 'kube-apiserver';
  return { title, url, kubeconfig, startControllers, stop };
}

/** Writes a kubeconfig where only its owner can read it. */
export async function writeKubeconfig(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
}
