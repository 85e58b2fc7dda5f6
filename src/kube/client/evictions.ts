import type { KubeObject } from '../../common/objects.ts';
import type { KubeClient } from './client.ts';
import { PODS } from './resources.ts';

type EvictionClient = Pick<KubeClient, 'discover' | 'createSubresource'>;

/** Asks for pods to be evicted, so that PodDisruptionBudgets are respected. */
export class Evictions {
  readonly #client: EvictionClient;
  #apiVersion: string | undefined;

  constructor(client: EvictionClient) {
    this.#client = client;
  }

  /**
   * Evicts a pod, if it is still that one and as it was read.
   * @throws KubeError: 429 while a budget allows no disruption, 404 or a conflict when the pod is gone or has changed
   */
  async evict({ metadata }: KubeObject, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid, resourceVersion } = metadata;
    this.#apiVersion ??= await this.#discover(signal);
    const eviction = {
      apiVersion: this.#apiVersion,
      kind: 'Eviction',
      metadata: { name, ...(namespace !== undefined && { namespace }) },
      deleteOptions: { preconditions: { uid, resourceVersion } },
    };
    await this.#client.createSubresource(PODS, { namespace, name }, 'eviction', eviction, { signal });
  }

  /** The subresource is of the core group, its body of another: policy/v1, or policy/v1beta1 before Kubernetes 1.22. */
  async #discover(signal: AbortSignal): Promise<string> {
    const resources = await this.#client.discover(PODS, { signal });
    const { group = 'policy', version = 'v1' } = resources.find(({ name }) => name === 'pods/eviction') ?? {};
    return `${group}/${version}`;
  }
}
