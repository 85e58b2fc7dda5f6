import { readdir, readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { API_VERSION } from '../src/api/names.ts';
import type { KubeClient } from '../src/kube/client.ts';
import type { KubeObject, Resource } from '../src/common/objects.ts';
import type { Manifest } from '../src/kube/manifest.ts';
import { NAMESPACES, SECRETS } from '../src/kube/resources.ts';
import { REGISTRY_ACCOUNTS } from '../src/controller/resources.ts';
import { sleep, systemClock } from '../src/common/clock.ts';

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
    versions: { name: string }[];
  };
};

interface StoredDefinition extends KubeObject {
  status?: { conditions?: { type: string; status: string }[] };
}

/** The CRDs of the project. */
export async function readDefinitions(): Promise<Definition[]> {
  const files = await readdir(CRDS);
  return Promise.all(
    files.map(async (file) => parse(await readFile(new URL(file, CRDS), 'utf8')) as Definition),
  );
}

/** Creates the CRDs and waits until the API server serves them. */
export async function installDefinitions(client: KubeClient, signal: AbortSignal): Promise<void> {
  const names: string[] = [];
  for (const definition of await readDefinitions()) {
    // Not applied: an API server older than 1.25 refuses to apply the CEL rules, but creates what it knows of the rest.
    await client.create(CUSTOM_RESOURCE_DEFINITIONS, definition, { signal });
    names.push(definition.metadata.name);
  }
  for (const name of names) {
    for (;;) {
      const { status } = await client.get<StoredDefinition>(
        CUSTOM_RESOURCE_DEFINITIONS,
        { name },
        { signal },
      );
      if (status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True')) break;
      await sleep(systemClock, 100, signal);
    }
  }
}

/** Makes the account `default`, whose only region is the token service. */
export async function installAccount(
  client: KubeClient,
  { namespace, apiKey, url, host }: { namespace: string; apiKey: string; url: string; host: string },
  signal: AbortSignal,
): Promise<void> {
  const credentials = 'sandbox-credentials';
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
      data: { apikey: Buffer.from(apiKey).toString('base64') },
    },
    { force: true, signal },
  );
  await client.apply(
    REGISTRY_ACCOUNTS,
    {
      apiVersion: API_VERSION,
      kind: 'RegistryAccount',
      metadata: { name: 'default' },
      spec: {
        provider: 'IBMRegistryTokens',
        credentialsSecretRef: { name: credentials },
        iamEndpoint: url,
        regions: [{ name: 'us-south', host, endpoint: url }],
      },
    },
    { force: true, signal },
  );
}
