import { writeFile } from 'node:fs/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { systemClock as clock } from '../src/common/clock.ts';
import { KubeClient } from '../src/kube/client.ts';
import { httpTransport } from '../src/kube/http-transport.ts';
import { aggregate } from './aggregation.ts';
import { serve } from './apiserver/http-server.ts';
import { kubeconfigFor } from './apiserver/kubeconfig.ts';
import { ApiServer } from './apiserver/server.ts';
import { startControlPlane } from './control-plane.ts';
import { storesCustomResources, type ServerVersion } from './server-version.ts';

export interface Cluster {
  /** What it is, for people. */
  title: string;
  url: string;
  /** A kubeconfig's text. */
  kubeconfig: string;
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
  return { title: 'embedded API server', url, kubeconfig: kubeconfigFor(url), stop };
}

/** Starts a real control plane; custom resources are served by aggregation when it would not survive them itself. */
export async function startRealCluster(assets: string): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  const { url, kubeconfig, startControllers, stop } = await startControlPlane(assets);
  stack.defer(stop);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(kubeconfig);
  const transport = httpTransport(kubeConfig, {
    clock,
    logger: pino({ level: 'silent' }),
    userAgent: 'sandbox',
  });
  stack.defer(() => transport.close());
  const version = (await transport.request({ method: 'GET', path: '/version' })) as ServerVersion;
  const aggregated = !storesCustomResources(version);
  if (aggregated) {
    const client = new KubeClient(transport, { fieldManager: 'sandbox' });
    stack.defer(await aggregate(client, new AbortController().signal));
  }
  startControllers();
  const started = stack.move();
  const title = aggregated ? 'kube-apiserver, custom resources by aggregation' : 'kube-apiserver';
  return { title, url, kubeconfig, stop: () => started.disposeAsync() };
}

/** Writes a kubeconfig where only its owner can read it. */
export async function writeKubeconfig(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
}
