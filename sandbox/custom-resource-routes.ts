import { pino } from 'pino';
import { systemClock as clock } from '../src/common/clock.ts';
import type { KubeObject, Resource } from '../src/common/objects.ts';
import type { KubeClient } from '../src/kube/client/client.ts';
import type { Manifest } from '../src/kube/client/manifest.ts';
import { Reflector } from '../src/kube/cache/reflector.ts';
import { CUSTOM_RESOURCE_DEFINITIONS, whenServed, type Definition } from './setup.ts';

const SERVICES: Resource = {
  group: '',
  version: 'v1',
  plural: 'services',
  kind: 'Service',
  namespaced: true,
};
const API_SERVICES: Resource = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  plural: 'apiservices',
  kind: 'APIService',
  namespaced: false,
};
const SERVICE = { namespace: 'kube-system', name: 'custom-resources' };
/** The name that the aggregator expects in the server's certificate. */
export const SERVICE_HOST = `${SERVICE.name}.${SERVICE.namespace}.svc`;
/** With this label kube-apiserver resets an APIService to itself. */
const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged';

export interface CustomResourceServer {
  /** On loopback. */
  port: number;
  /** PEM; vouches for what it serves with. */
  certificate: string;
}

/**
 * Has kube-apiserver pass CustomResourceDefinitions and the kinds they define on to another server, after authentication and
 * authorization (https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/). A group's version is
 * routed while a definition serves it, as kube-apiserver does with its own: without one its discovery would fail, and no
 * namespace could be deleted.
 * @returns a function that stops following definitions
 * @throws Error when definitions are not served after a minute
 */
export async function routeCustomResources(
  client: KubeClient,
  server: CustomResourceServer,
): Promise<() => Promise<void>> {
  const spec = { type: 'ExternalName', externalName: 'localhost' };
  await client.create(SERVICES, { apiVersion: 'v1', kind: 'Service', metadata: SERVICE, spec });
  const { group, version } = CUSTOM_RESOURCE_DEFINITIONS;
  const route = apiService(`${version}.${group}`, server);
  const labels = { [AUTOMANAGED]: null };
  await client.mergePatch(API_SERVICES, route.metadata, { ...route, metadata: { labels } });
  const stop = new AbortController();
  await whenServed(client, CUSTOM_RESOURCE_DEFINITIONS, stop.signal);

  const definitions = new Reflector<Definition & KubeObject>({
    client,
    resource: CUSTOM_RESOURCE_DEFINITIONS,
    clock,
    random: Math.random,
    logger: pino({ level: 'silent' }),
  });
  let routed: ReadonlySet<string> = new Set();
  const follow = async (): Promise<void> => {
    const wanted = new Set(definitions.store.list().flatMap(servedVersions));
    for (const name of wanted)
      if (!routed.has(name)) await client.create(API_SERVICES, apiService(name, server));
    for (const name of routed) if (!wanted.has(name)) await client.delete(API_SERVICES, { name });
    routed = wanted;
  };
  let followed = Promise.resolve();
  definitions.onChange(() => {
    followed = followed.then(follow);
  });
  const running = definitions.run(stop.signal);
  return async () => {
    stop.abort();
    await running;
    await followed;
  };
}

/** As `v1.example.com`, the names of APIServices. */
function servedVersions({ spec: { group, versions } }: Definition): string[] {
  return versions.filter(({ served }) => served).map(({ name }) => `${name}.${group}`);
}

function apiService(name: string, { port, certificate }: CustomResourceServer): Manifest {
  const [version = '', ...group] = name.split('.');
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name },
    spec: {
      group: group.join('.'),
      version,
      groupPriorityMinimum: 1000,
      versionPriority: 100,
      caBundle: Buffer.from(certificate).toString('base64'),
      service: { ...SERVICE, port },
    },
  };
}
