import { TOKEN_ID_ANNOTATION } from '../api/names.ts';
import type { RegistryToken } from '../api/registry-token.ts';
import type { KubeObject } from '../common/objects.ts';
import { belongsTo } from '../token/secret.ts';
import type { SecretStore } from './secret-store.ts';

/**
 * The Secrets that a RegistryToken has beside the one it wants: those of names that it wanted before, when the operator died
 * between writing the one and deleting the other.
 */
export class FormerSecrets {
  readonly #secrets: SecretStore;
  readonly #watched: (uid: string) => readonly KubeObject[];

  /** @param watched metadata of the Secrets that bear a RegistryToken's uid, as the watch last saw them */
  constructor(secrets: SecretStore, watched: (uid: string) => readonly KubeObject[]) {
    this.#secrets = secrets;
    this.#watched = watched;
  }

  /** Identifiers of the tokens that any of its Secrets hold. */
  held({ metadata }: RegistryToken): string[] {
    return this.#watched(metadata.uid).flatMap(
      ({ metadata: { annotations } }) => annotations?.[TOKEN_ID_ANNOTATION] ?? [],
    );
  }

  /** Deletes them. @param name of the Secret that stays. @throws KubeError */
  async remove({ metadata, status }: RegistryToken, name: string, signal: AbortSignal): Promise<void> {
    const { uid, namespace } = metadata;
    const watched = this.#watched(uid).map((secret) => secret.metadata.name);
    for (const former of new Set([...watched, status?.secretRef?.name ?? name])) {
      if (former === name) continue;
      const secret = await this.#secrets.read({ namespace, name: former }, signal);
      if (secret && belongsTo(secret, uid)) await this.#secrets.remove(secret, signal);
    }
  }
}
