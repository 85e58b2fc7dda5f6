import { TOKEN_ID_ANNOTATION } from '../api/names.ts';
import type { RegistryToken } from '../api/registry-token.ts';
import type { KubeObject } from '../common/objects.ts';
import { belongsTo } from '../token/secret.ts';
import type { SecretStore } from './secret-store.ts';
import type { ServiceAccountLinker } from './service-account-linker.ts';

/**
 * The Secrets that a RegistryToken has beside the one it wants: those of names that it wanted before, while ServiceAccounts
 * still have them, or when the operator died between writing the one and deleting the other.
 */
export class FormerSecrets {
  readonly #secrets: Pick<SecretStore, 'read' | 'remove'>;
  readonly #watches: { secretsOf(uid: string): readonly KubeObject[] };
  readonly #linker: Pick<ServiceAccountLinker, 'gives'>;

  /** @param watches know the metadata of the Secrets that bear a RegistryToken's uid */
  constructor(
    secrets: Pick<SecretStore, 'read' | 'remove'>,
    watches: { secretsOf(uid: string): readonly KubeObject[] },
    linker: Pick<ServiceAccountLinker, 'gives'>,
  ) {
    this.#secrets = secrets;
    this.#watches = watches;
    this.#linker = linker;
  }

  /** Identifiers of the tokens that any of its Secrets hold. */
  held({ metadata }: RegistryToken): string[] {
    return this.#watches
      .secretsOf(metadata.uid)
      .flatMap(({ metadata: { annotations } }) => annotations?.[TOKEN_ID_ANNOTATION] ?? []);
  }

  /**
   * Deletes them, except those that ServiceAccounts still give to pods, or may: a pod keeps what it was created with.
   * @param name of the Secret that stays
   * @returns whether one is left, to be looked at again soon
   * @throws KubeError
   */
  async remove(token: RegistryToken, name: string, signal: AbortSignal): Promise<boolean> {
    const { uid, namespace } = token.metadata;
    const watched = this.#watches.secretsOf(uid).map((secret) => secret.metadata.name);
    let left = false;
    for (const former of new Set([...watched, token.status?.secretRef?.name ?? name])) {
      if (former === name) continue;
      if (this.#linker.gives(token, former)) {
        left = true;
        continue;
      }
      const secret = await this.#secrets.read({ namespace, name: former }, signal);
      if (secret && belongsTo(secret, uid)) await this.#secrets.remove(secret, signal);
    }
    return left;
  }
}
