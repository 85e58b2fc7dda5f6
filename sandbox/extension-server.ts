import { KubeError } from '../src/kube/errors.ts';
import type { KubeClient } from '../src/kube/client.ts';
import type { Manifest } from '../src/kube/manifest.ts';
import { NAMESPACES, resourcePath } from '../src/kube/resources.ts';
import { mediaType } from './apiserver/body.ts';
import type { JsonObject } from './apiserver/json.ts';
import { namespaces } from './apiserver/kinds/namespace.ts';
import { APPLY } from './apiserver/patcher.ts';
import { readResourcePath, type Answer, type ApiRequest } from './apiserver/request.ts';
import { ApiServer } from './apiserver/server.ts';
import { CUSTOM_RESOURCE_DEFINITIONS } from './setup.ts';

/** The embedded API server for custom resources alone, behind a real one that has the namespaces. */
export class ExtensionServer {
  readonly #server = new ApiServer({ aggregated: true });
  readonly #client: KubeClient;

  /** @param client of the real API server */
  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** @throws Error when the definition is refused */
  async define(definition: Manifest, signal: AbortSignal): Promise<void> {
    const { status } = await this.#server.handle({
      method: 'POST',
      path: resourcePath(CUSTOM_RESOURCE_DEFINITIONS),
      query: new URLSearchParams(),
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(definition),
      signal,
    });
    if (status !== 201)
      throw new Error(`the embedded API server refuses the CRD ${definition.metadata.name} (${status})`);
  }

  /** As ApiServer.handle. */
  async handle(request: ApiRequest): Promise<Answer> {
    const namespace = readResourcePath(request.path)?.namespace ?? '';
    if (namespace !== '' && mayCreate(request)) await this.#look(namespace, request.signal);
    return this.#server.handle(request);
  }

  close(): void {
    this.#server.close();
  }

  /**
   * Takes over the namespace as the real server has it now, so that one which is missing or going away takes nothing new:
   * what the admission plugin NamespaceLifecycle does in extension API servers.
   */
  async #look(name: string, signal: AbortSignal): Promise<void> {
    const { store } = this.#server;
    try {
      const found = await this.#client.get(NAMESPACES, { name }, { signal });
      store.put(namespaces.collection, found as unknown as JsonObject);
    } catch (error) {
      if (!(error instanceof KubeError && error.isNotFound)) throw error;
      const known = store.get(namespaces.collection, name);
      if (known) store.remove(namespaces.collection, known);
    }
  }
}

function mayCreate(request: ApiRequest): boolean {
  return request.method === 'POST' || (request.method === 'PATCH' && mediaType(request) === APPLY);
}
