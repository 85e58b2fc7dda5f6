import { KubeConfig } from '@kubernetes/client-node';
import { serve } from '../../sandbox/apiserver/http-server.ts';
import { asObject, asText, type JsonObject } from '../../sandbox/apiserver/json.ts';
import { kubeconfigFor } from '../../sandbox/apiserver/kubeconfig.ts';
import { readResourcePath, type ApiRequest } from '../../sandbox/apiserver/request.ts';
import { ApiServer } from '../../sandbox/apiserver/server.ts';
import type { Resource } from '../../src/common/objects.ts';
import { nameOf } from '../measure/api-calls.ts';
import { NAMESPACE_PREFIX, type BenchCluster } from './cluster.ts';

/** Starts the embedded API server in this process. It shows what is asked of it; its times say little of a real one's. */
export async function startEmbeddedCluster(): Promise<BenchCluster> {
  const calls = new Map<string, number>();
  const observe = (request: ApiRequest): void => {
    const name = callOf(request);
    if (name !== undefined) calls.set(name, (calls.get(name) ?? 0) + 1);
  };
  const server = new ApiServer({ observe });
  const { url, close } = await serve(server, { host: '127.0.0.1', port: 0 });
  const kubeconfig = kubeconfigFor(url);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(kubeconfig);
  const collectionOf = ({ group, plural }: Resource): string => (group ? `${group}/${plural}` : plural);
  return {
    title: 'the embedded API server',
    kubeconfig,
    kubeConfig,
    calls: () => Promise.resolve(new Map(calls)),
    store: (resource, objects) => {
      const collection = collectionOf(resource);
      const versions: string[] = [];
      for (const object of objects) {
        const { metadata } = server.store.put(collection, object as unknown as JsonObject);
        versions.push(asText(asObject(metadata).resourceVersion));
      }
      return Promise.resolve(versions);
    },
    clear: async (resource) => {
      const collection = collectionOf(resource);
      const isOurs = ({ metadata }: JsonObject): boolean =>
        asText(asObject(metadata).namespace).startsWith(NAMESPACE_PREFIX);
      for (const object of server.store.list(collection).filter(isOurs))
        server.store.remove(collection, object);
      return Promise.resolve();
    },
    stop: async () => {
      server.close();
      await close();
    },
  };
}

/** As kube-apiserver's counters name it. */
function callOf({ method, path, query, headers }: ApiRequest): string | undefined {
  const resource = readResourcePath(path);
  if (!resource) return undefined;
  const verbs: Record<string, string> = { POST: 'POST', PUT: 'PUT', DELETE: 'DELETE' };
  const reading = query.get('watch') ? 'WATCH' : resource.name === '' ? 'LIST' : 'GET';
  const patching = headers['content-type']?.includes('apply-patch') ? 'APPLY' : 'PATCH';
  const verb = method === 'PATCH' ? patching : (verbs[method] ?? reading);
  return nameOf(verb, resource.plural, resource.subresource);
}
