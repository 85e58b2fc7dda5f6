import { FINALIZER } from '../api/names.ts';
import type { RegistryToken, RegistryTokenStatus } from '../api/registry-token.ts';
import type { ObjectName } from '../common/objects.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { guardedPatch, type Addition } from './guarded-patch.ts';
import { REGISTRY_TOKENS } from './resources.ts';

export const nameOf = ({ metadata }: RegistryToken): ObjectName => ({
  namespace: metadata.namespace,
  name: metadata.name,
});

/**
 * The operator's reads and writes of RegistryTokens. Every write holds only if the object is still the version it was
 * made from: otherwise it throws a KubeError that is a conflict.
 */
export class TokenClient {
  readonly #client: KubeClient;
  /** By uid: the latest version this process wrote, and the versions it replaced on the way there. */
  readonly #written = new Map<string, { latest: RegistryToken; replaced: Set<string> }>();

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** Of what a watch last saw and what was last written, the later: a watch can lag behind the operator's own writes. */
  freshest(cached: RegistryToken): RegistryToken {
    const { uid, resourceVersion } = cached.metadata;
    const written = this.#written.get(uid);
    if (written?.replaced.has(resourceVersion)) return written.latest;
    this.#written.delete(uid);
    return cached;
  }

  forget(uid: string): void {
    this.#written.delete(uid);
  }

  /** The object as it is now, not as a watch last saw it; undefined when it is gone. @throws KubeError */
  async read(name: ObjectName, signal: AbortSignal): Promise<RegistryToken | undefined> {
    try {
      return await this.#client.get<RegistryToken>(REGISTRY_TOKENS, name, { signal });
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return undefined;
      throw error;
    }
  }

  /** @throws KubeError */
  async writeStatus(
    token: RegistryToken,
    status: RegistryTokenStatus,
    signal: AbortSignal,
  ): Promise<RegistryToken> {
    return this.#patch(token, { path: '/status', value: status }, { subresource: 'status', signal });
  }

  /** @throws KubeError */
  async addFinalizer(token: RegistryToken, signal: AbortSignal): Promise<RegistryToken> {
    const { finalizers = [] } = token.metadata;
    if (finalizers.includes(FINALIZER)) return token;
    return this.#writeFinalizers(token, [...finalizers, FINALIZER], signal);
  }

  /** @throws KubeError */
  async removeFinalizer(token: RegistryToken, signal: AbortSignal): Promise<void> {
    const { finalizers = [] } = token.metadata;
    await this.#writeFinalizers(
      token,
      finalizers.filter((name) => name !== FINALIZER),
      signal,
    );
  }

  async #writeFinalizers(
    token: RegistryToken,
    finalizers: string[],
    signal: AbortSignal,
  ): Promise<RegistryToken> {
    return this.#patch(token, { path: '/metadata/finalizers', value: finalizers }, { signal });
  }

  async #patch(
    token: RegistryToken,
    addition: Addition,
    options: { subresource?: 'status'; signal: AbortSignal },
  ): Promise<RegistryToken> {
    const latest = await guardedPatch(this.#client, REGISTRY_TOKENS, token, [addition], options);
    const { uid, resourceVersion } = token.metadata;
    const replaced = this.#written.get(uid)?.replaced ?? new Set();
    this.#written.set(uid, { latest, replaced: replaced.add(resourceVersion) });
    return latest;
  }
}
