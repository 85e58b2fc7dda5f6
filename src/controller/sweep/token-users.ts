import type { RegistryAccount } from '../../api/registry-account.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../api/resources.ts';
import type { KubeObject } from '../../common/objects.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { SECRETS } from '../../kube/client/resources.ts';
import type { RetainedToken } from '../../token/sweep/retained.ts';
import { usersOf, type Users } from '../../token/sweep/users.ts';
import type { Deletions } from '../token/deletions.ts';
import { essentialSecret, essentialToken } from '../shared/kept-fields.ts';

/** What the watches know. */
export interface WatchedUsers {
  tokens(): RegistryToken[];
  /** Metadata of every Secret that the operator manages. */
  secrets(): KubeObject[];
  accounts(): RegistryAccount[];
  deletions: Pick<Deletions, 'gone'>;
}

/**
 * Finds out what in the cluster uses tokens. An operator that looks after some namespaces only can't see who uses what in
 * the others, so it speaks for no RegistryTokens but those it sees, or saw deleted.
 */
export class TokenUsers {
  readonly #client: KubeClient;
  readonly #watched: WatchedUsers;
  readonly #namespaces: readonly string[];

  /** @param namespaces those looked after; empty: all */
  constructor(client: KubeClient, watched: WatchedUsers, namespaces: readonly string[]) {
    this.#client = client;
    this.#watched = watched;
    this.#namespaces = namespaces;
  }

  /** As the watches last saw it: good enough to suspect, not to act. */
  watched(): Users {
    const tokens = this.#watched.tokens();
    return usersOf({
      tokens,
      secrets: this.#watched.secrets(),
      retained: retainedBy(this.#watched.accounts()),
      known: this.#known(tokens),
    });
  }

  /**
   * As the API server has it now; Secrets whether or not they bear the operator's label.
   * @param gone uids of RegistryTokens that can be spoken for although no watch told of their deletion yet
   * @throws KubeError
   */
  async live(gone: Iterable<string>, signal: AbortSignal): Promise<Users> {
    const scopes = this.#namespaces.length === 0 ? [undefined] : this.#namespaces;
    const lists = scopes.map(async (namespace) => ({
      tokens: await this.#client.list<RegistryToken>(REGISTRY_TOKENS, { namespace, signal }, essence),
      secrets: await this.#client.list<KubeObject>(
        SECRETS,
        { namespace, metadataOnly: true, signal },
        essentialSecret,
      ),
    }));
    const parts = await Promise.all(lists);
    const tokens = parts.flatMap((part) => part.tokens.items);
    const accounts = await this.#client.listAll<RegistryAccount>(REGISTRY_ACCOUNTS, { signal });
    return usersOf({
      tokens,
      secrets: parts.flatMap(({ secrets }) => secrets.items),
      retained: retainedBy(accounts),
      known: this.#known(tokens, gone),
    });
  }

  #known(tokens: readonly RegistryToken[], gone: Iterable<string> = []): Set<string> | undefined {
    if (this.#namespaces.length === 0) return undefined;
    return new Set([
      ...this.#watched.deletions.gone(),
      ...gone,
      ...tokens.map(({ metadata }) => metadata.uid),
    ]);
  }
}

/** Tokens kept on purpose, whichever account speaks of them: two accounts can be one and the same at the registry. */
function retainedBy(accounts: readonly RegistryAccount[]): RetainedToken[] {
  return accounts.flatMap(({ status }) => status?.retainedTokens ?? []);
}

/** Of large lists only what matters is kept. */
function essence(token: RegistryToken): RegistryToken {
  const { token: record, previousTokens, mintIntent, lostIntents } = token.status ?? {};
  const status = {
    ...(record && { token: record }),
    ...(previousTokens && { previousTokens }),
    ...(mintIntent && { mintIntent }),
    ...(lostIntents && { lostIntents }),
  };
  return { ...essentialToken(token), spec: {}, status };
}
