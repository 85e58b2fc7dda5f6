import type { RegistryToken } from '../api/registry-token.ts';
import type { KubeClient } from '../kube/client.ts';
import { changeAccountStatus } from './account-status.ts';

/**
 * Remembers, in the status of their account, the tokens that outlive their RegistryToken on purpose, so that the sweep
 * never takes one for an orphan. Their Secret alone would not do: it can go with its namespace while copies of it, which
 * nobody here knows of, are still pulled with. Who wants such a token gone revokes it at the registry by its identifier;
 * the next sweep strikes it off.
 */
export class Retention {
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** Remembers the token in force, before its RegistryToken goes. @throws KubeError */
  async remember({ metadata, status }: RegistryToken, signal: AbortSignal): Promise<void> {
    const record = status?.token;
    if (!record) return;
    const { id, region, account } = record;
    const entry = { id, region, namespace: metadata.namespace ?? '', name: metadata.name };
    await changeAccountStatus(
      this.#client,
      account,
      ({ retainedTokens = [], ...rest }) => ({
        ...rest,
        retainedTokens: [...retainedTokens.filter((token) => token.id !== id), entry],
      }),
      signal,
    );
  }
}
