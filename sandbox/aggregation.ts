import type { KubeObject, Resource } from '../src/common/objects.ts';
import { sleep, systemClock as clock } from '../src/common/clock.ts';
import type { KubeClient } from '../src/kube/client.ts';
import { KubeError } from '../src/kube/errors.ts';
import { serve } from './apiserver/http-server.ts';
import { ExtensionServer } from './extension-server.ts';
import { createSelfSigned } from './self-signed-certificate.ts';
import { readDefinitions, type Definition } from './setup.ts';

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
/** The name that the aggregator expects in the certificate. */
const SERVICE_HOST = `${SERVICE.name}.${SERVICE.namespace}.svc`;
/** How long the aggregator may take until it passes requests on, in milliseconds. */
const READY_TIME = 30_000;

/**
 * Serves the groups of the project's CRDs by an embedded API server that the real one passes requests on to, after
 * authentication and authorization (https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/).
 * A CustomResourceDefinition that is created later of one of these kinds changes nothing: an APIService goes first.
 * @returns a function that ends it, for when the real API server ends as well
 * @throws Error when the aggregator does not pass requests on after half a minute
 */
export async function aggregate(client: KubeClient, signal: AbortSignal): Promise<() => Promise<void>> {
  const definitions = await readDefinitions();
  const server = new ExtensionServer(client);
  const tls = await createSelfSigned('custom-resources', clock.now(), [SERVICE_HOST]);
  const serving = await serve(server, { host: '127.0.0.1', port: 0, tls });
  const stop = async (): Promise<void> => {
    server.close();
    await serving.close();
  };
  try {
    for (const definition of definitions) await server.define(definition, signal);
    await register(client, definitions, { port: Number(new URL(serving.url).port), tls, signal });
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Backend {
  port: number;
  tls: { certificate: string };
  signal: AbortSignal;
}

/** Tells the aggregator where the kinds are served, and waits until it passes requests on. */
async function register(
  client: KubeClient,
  definitions: readonly Definition[],
  { port, tls, signal }: Backend,
): Promise<void> {
  await client.create(
    SERVICES,
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: SERVICE,
      spec: { type: 'ExternalName', externalName: 'localhost' },
    },
    { signal },
  );
  const resources = definitions.flatMap(resourcesOf);
  const groups = new Map(resources.map((resource) => [`${resource.version}.${resource.group}`, resource]));
  for (const [name, { group, version }] of groups)
    await client.create(
      API_SERVICES,
      {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name },
        spec: {
          group,
          version,
          groupPriorityMinimum: 1000,
          versionPriority: 100,
          caBundle: Buffer.from(tls.certificate).toString('base64'),
          service: { ...SERVICE, port },
        },
      },
      { signal },
    );
  for (const resource of resources) await whenServed(client, resource, signal);
}

function resourcesOf({ spec: { group, scope, names, versions } }: Definition): Resource[] {
  return versions.map(({ name: version }) => ({
    group,
    version,
    plural: names.plural,
    kind: names.kind,
    namespaced: scope === 'Namespaced',
  }));
}

async function whenServed(client: KubeClient, resource: Resource, signal: AbortSignal): Promise<void> {
  const deadline = clock.monotonic() + READY_TIME;
  for (;;) {
    try {
      await client.listPage<KubeObject>(resource, { limit: 1, signal });
      return;
    } catch (error) {
      // Not known yet, or not known to be available yet.
      if (!(error instanceof KubeError && (error.isNotFound || error.status === 503))) throw error;
      if (clock.monotonic() > deadline) throw error;
    }
    await sleep(clock, 100, signal);
  }
}
