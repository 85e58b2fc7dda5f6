import { KubeError } from '../kube/errors.ts';
import type { IssuedToken } from '../registry/port.ts';
import type { Failure } from '../token/failure.ts';
import type { Task } from './progress.ts';
import type { SecretStore } from './secret-store.ts';

/** Puts tokens into Secrets. */
export class SecretWriter {
  readonly #secrets: SecretStore;

  constructor(secrets: SecretStore) {
    this.#secrets = secrets;
  }

  /**
   * Writes a token into the Secret.
   * @returns where it stands now, or why policy or quota refuse it
   * @throws KubeError for what passes by itself
   */
  async write(
    { token, spec, wanted, secret }: Task,
    issued: IssuedToken,
    signal: AbortSignal,
  ): Promise<{ secretRef: { name: string; uid: string } } | { failure: Failure }> {
    const { id: tokenId, username, value } = issued;
    const credential = { tokenId, username, value };
    const uid = secret.state === 'ours' ? secret.uid : undefined;
    try {
      const written = await this.#secrets.write(token, spec, wanted.host, credential, uid, signal);
      return { secretRef: { name: written.metadata.name, uid: written.metadata.uid } };
    } catch (error) {
      // A refusal by policy or quota is for people to see; everything else passes by itself.
      if (!(error instanceof KubeError && (error.isForbidden || error.isInvalid))) throw error;
      const reason = error.isNamespaceTerminating ? 'NamespaceTerminating' : 'SecretNotWritten';
      return { failure: { reason, message: error.message, retryable: true } };
    }
  }
}
