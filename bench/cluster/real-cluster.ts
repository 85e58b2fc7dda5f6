import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { startControlPlane } from '../../sandbox/control-plane.ts';
import { CUSTOM_RESOURCE_PREFIX } from '../../sandbox/custom-resource-server.ts';
import { GROUP } from '../../src/api/names.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import type { Resource } from '../../src/common/objects.ts';
import { httpTransport } from '../../src/kube/transport/http-transport.ts';
import { readApiCalls, sumOf } from '../measure/api-calls.ts';
import { NAMESPACE_PREFIX, type BenchCluster } from './cluster.ts';
import { Etcd } from './etcd.ts';

/** Where in etcd kube-apiserver keeps its objects. */
const PREFIX = '/registry';

/** Starts etcd and kube-apiserver, with what else of a control plane is in the folder but for its controllers. */
export async function startRealCluster(assets: string): Promise<BenchCluster> {
  const plane = await startControlPlane(assets);
  const { kubeconfig, ownCustomResources, customResourceMetrics } = plane;
  const etcd = new Etcd(plane.etcd);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(kubeconfig);
  const transport = httpTransport(kubeConfig, {
    clock,
    logger: pino({ level: 'silent' }),
    userAgent: 'bench',
  });
  const folderOf = ({ group, plural }: Resource): string => {
    if (group === GROUP) return `${ownCustomResources ? CUSTOM_RESOURCE_PREFIX : PREFIX}/${group}/${plural}/`;
    // Events of both groups are the same objects.
    return `${PREFIX}/${plural}/`;
  };
  return {
    title: `a real kube-apiserver and etcd${ownCustomResources ? ', custom resources served by apiextensions-apiserver' : ''}`,
    kubeconfig,
    kubeConfig,
    calls: async () => {
      const lines: string[] = [];
      const call = { method: 'GET', path: '/metrics', accept: 'text/plain', stallLimit: 60_000 };
      for await (const line of transport.stream(call)) lines.push(line);
      const others = (await customResourceMetrics?.())?.split('\n') ?? [];
      return sumOf([readApiCalls(lines), readApiCalls(others)]);
    },
    store: (resource, objects) => {
      const folder = folderOf(resource);
      const entries = function* (): Generator<[string, string]> {
        for (const object of objects) {
          const { namespace = '', name } = object.metadata;
          yield [`${folder}${namespace}/${name}`, JSON.stringify(object)];
        }
      };
      return etcd.put(entries());
    },
    clear: (resource) => etcd.removeAll(`${folderOf(resource)}${NAMESPACE_PREFIX}`),
    stop: async () => {
      await transport.close();
      await plane.stop();
    },
  };
}
