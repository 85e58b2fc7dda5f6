import { KubeConfig } from '@kubernetes/client-node';
import { serve } from '../../sandbox/apiserver/http-server.ts';
import { kubeconfigFor } from '../../sandbox/apiserver/kubeconfig.ts';
import { ApiServer, type ApiServerOptions } from '../../sandbox/apiserver/server.ts';
import { startControlPlane, type ControlPlaneOptions } from '../../sandbox/control-plane.ts';

/** An API server that a test may use as it likes. */
export interface RunningApiServer {
  kind: 'embedded' | 'real';
  url: string;
  /** A kubeconfig file's text. */
  kubeconfig: string;
  kubeConfig: KubeConfig;
  /** Whether a current Kubernetes' server serves custom resources, whatever the release of the rest is. */
  ownCustomResources?: boolean;
  /** Starts garbage collection and namespace deletion, for which the kinds are served by now; absent where they run. */
  startControllers?: () => void;
  /** The embedded server itself, for its faults and history; absent for a real one. */
  embedded?: ApiServer;
  /** Forgets all changes up to this resourceVersion, as every few minutes; absent where a test can't order it. */
  compact?: (resourceVersion: string) => Promise<void>;
  /** What a server of custom resources beside it says at /metrics; absent where there is none. */
  customResourceMetrics?: () => Promise<string>;
  close: () => Promise<void>;
}

/** Where the binaries of a real control plane are; undefined when there are none. */
export const realAssets: string | undefined = process.env.KUBEBUILDER_ASSETS || undefined;

/** Starts the real API server when KUBEBUILDER_ASSETS says where one is, else the embedded one. */
export function startApiServer(): Promise<RunningApiServer> {
  return realAssets === undefined ? startEmbedded() : startReal(realAssets);
}

/** Starts an embedded API server on a free port of loopback. */
export async function startEmbedded(options: ApiServerOptions = {}): Promise<RunningApiServer> {
  const embedded = new ApiServer(options);
  const serving = await serve(embedded, { host: '127.0.0.1', port: 0 });
  return {
    kind: 'embedded',
    url: serving.url,
    ...configOf(kubeconfigFor(serving.url)),
    embedded,
    compact: async () => embedded.compact(),
    close: async () => {
      embedded.close();
      await serving.close();
    },
  };
}

/** Starts etcd and kube-apiserver from a folder of binaries, and what else of a control plane there is. */
export async function startReal(
  assets: string,
  options: ControlPlaneOptions = {},
): Promise<RunningApiServer> {
  const { url, kubeconfig, ownCustomResources, customResourceMetrics, startControllers, compact, stop } =
    await startControlPlane(assets, options);
  return {
    kind: 'real',
    url,
    ...configOf(kubeconfig),
    ownCustomResources,
    ...(customResourceMetrics && { customResourceMetrics }),
    startControllers,
    compact,
    close: stop,
  };
}

function configOf(kubeconfig: string): Pick<RunningApiServer, 'kubeconfig' | 'kubeConfig'> {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(kubeconfig);
  return { kubeconfig, kubeConfig };
}
