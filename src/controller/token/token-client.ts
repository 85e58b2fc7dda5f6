import { FINALIZER } from '../../api/names.ts';
import type { RegistryToken, RegistryTokenStatus } from '../../api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../api/resources.ts';
import type { ObjectName } from '../../common/objects.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { KubeError } from '../../kube/client/errors.ts';
import { essentialToken } from '../shared/kept-fields.ts';
import { guardedPatch, type Addition } from '../shared/guarded-patch.ts';

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
  readonly #cached: (name: ObjectName) => RegistryToken | undefined;
  /**
   * By uid: the latest version this process wrote, and the versions it replaced on the way there. Kept until the watch has
   * caught up, and no more of it than of what is watched.
   */
  readonly #written = new Map<string, { latest: RegistryToken; replaced: Set<string> }>();

  /** @param cached a RegistryToken as a watch last saw it */
  constructor(client: KubeClient, cached: (name: ObjectName) => RegistryToken | undefined) {
    this.#client = client;
    this.#cached = cached;
  }

  /** Of what a watch last saw and what was last written, the later: a watch can lag behind the operator's own writes. */
  freshest(cached: RegistryToken): RegistryToken {
    const { uid, resourceVersion } = cached.metadata;
    const written = this.#written.get(uid);
    if (written?.replaced.has(resourceVersion)) return written.latest;
    this.#written.delete(uid);
    return cached;
  }

  /** To be called with what a watch tells: what was written is forgotten once the watch knows of it. */
  seen(cached: RegistryToken): void {
    this.freshest(cached);
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
    this.#written.set(uid, { latest: essentialToken(latest), replaced: replaced.add(resourceVersion) });
    const cached = this.#cached(nameOf(token));
    // The watch can tell before the answer comes.
    if (cached?.metadata.resourceVersion === latest.metadata.resourceVersion) this.seen(cached);
    return latest;
  }
}
