import { readdir, readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { API_VERSION } from '../src/api/names.ts';
import type { RegistryAccountSpec } from '../src/api/registry-account.ts';
import { REGISTRY_ACCOUNTS } from '../src/api/resources.ts';
import type { KubeClient } from '../src/kube/client/client.ts';
import { KubeError } from '../src/kube/client/errors.ts';
import type { Resource } from '../src/common/objects.ts';
import type { Manifest } from '../src/kube/client/manifest.ts';
import { NAMESPACES, SECRETS } from '../src/kube/client/resources.ts';
import { sleep, systemClock as clock } from '../src/common/clock.ts';
import type { PreparedRegistry } from './registries/registry-kind.ts';

const CRDS = new URL('../crds/', import.meta.url);
export const CUSTOM_RESOURCE_DEFINITIONS: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

/** A CustomResourceDefinition, as far as it is read here. */
export type Definition = Manifest & {
  spec: {
    group: string;
    scope: string;
    names: { plural: string; kind: string };
    versions: { name: string; served: boolean }[];
  };
};

/** How long an API server may take until it serves what a definition defines, in milliseconds. */
const READY_TIME = 60_000;

/** The CRDs of the project. */
async function readDefinitions(): Promise<Definition[]> {
  const files = await readdir(CRDS);
  return Promise.all(
    files.map(async (file) => parse(await readFile(new URL(file, CRDS), 'utf8')) as Definition),
  );
}

/** Creates the CRDs and waits until the API server serves their kinds. */
export async function installDefinitions(client: KubeClient, signal: AbortSignal): Promise<void> {
  const definitions = await readDefinitions();
  // Not applied: an API server older than 1.25 refuses to apply the CEL rules, but creates what it knows of the rest.
  for (const definition of definitions)
    await client.create(CUSTOM_RESOURCE_DEFINITIONS, definition, { signal });
  for (const resource of definitions.flatMap(resourcesOf)) await whenServed(client, resource, signal);
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

/** Waits until the API server lists objects of the resource. @throws KubeError after a minute */
export async function whenServed(client: KubeClient, resource: Resource, signal: AbortSignal): Promise<void> {
  const deadline = clock.monotonic() + READY_TIME;
  for (;;) {
    try {
      await client.listPage(resource, { limit: 1, signal });
      return;
    } catch (error) {
      // Not known yet, or not known to be available yet.
      if (!(error instanceof KubeError && (error.isNotFound || error.status === 503))) throw error;
      if (clock.monotonic() > deadline) throw error;
    }
    await sleep(clock, 100, signal);
  }
}

/** A fake as an account of the operator sees it. */
export interface FakeAccount {
  registry: PreparedRegistry;
  /** Where the fake listens. */
  url: string;
  /** The registry as it stands in image names. */
  host: string;
}

/** What an account of a fake says, but for its credentials: that all may be asked for. */
export function accountSpec({ registry, url, host }: FakeAccount): RegistryAccountSpec {
  return { ...registry.account(url, host), limits: { maxAccess: 'ReadWrite', allowNeverExpiring: true } };
}

/**
 * Makes an account of a fake, with its credentials.
 * @param options `name`: of the account; `namespace`: the operator's; `spec`: what the account says besides
 */
export async function installAccount(
  client: KubeClient,
  options: FakeAccount & { name: string; namespace: string; spec?: Partial<RegistryAccountSpec> },
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, registry, spec } = options;
  const credentials = `credentials-of-${name}`;
  const data = Object.entries(registry.credentials).map(([key, value]) => [
    key,
    Buffer.from(value).toString('base64'),
  ]);
  await client.apply(
    NAMESPACES,
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { force: true, signal },
  );
  await client.apply(
    SECRETS,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name: credentials },
      data: Object.fromEntries(data) as Record<string, string>,
    },
    { force: true, signal },
  );
  await client.apply(
    REGISTRY_ACCOUNTS,
    {
      apiVersion: API_VERSION,
      kind: 'RegistryAccount',
      metadata: { name },
      spec: { ...accountSpec(options), credentialsSecretRef: { name: credentials }, ...spec },
    },
    { force: true, signal },
  );
}
