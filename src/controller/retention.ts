import type { RegistryAccount } from '../api/registry-account.ts';
import type { RegistryToken } from '../api/registry-token.ts';
import type { ObjectName } from '../common/objects.ts';
import type { KubeClient } from '../kube/client.ts';
import { changeAccountStatus } from './account-status.ts';

type RetainedToken = NonNullable<NonNullable<RegistryAccount['status']>['retainedTokens']>[number];

/** As many as an account's status holds: what falls off is protected by its Secret only. */
const MOST_RETAINED = 1_000;

/**
 * Remembers, in the status of their account, the tokens that outlive their RegistryToken on purpose, so that the sweep
 * never takes one for an orphan. Their Secret alone would not do: it can go with its namespace while copies of it, which
 * nobody here knows of, are still pulled with. Who wants such a token gone revokes it at the registry by its identifier;
 * the next sweep strikes it off.
 */
export class Retention {
  readonly #client: KubeClient;
  readonly #accounts: () => readonly RegistryAccount[];

  /** @param accounts as the watch knows them */
  constructor(client: KubeClient, accounts: () => readonly RegistryAccount[]) {
    this.#client = client;
    this.#accounts = accounts;
  }

  /**
   * Remembers a token before its RegistryToken goes.
   * @param id of the token in force, or of one that a mint left in the Secret before the status named it
   * @throws KubeError
   */
  async remember({ metadata, status = {} }: RegistryToken, id: string, signal: AbortSignal): Promise<void> {
    const { token, previousTokens = [], mintIntent } = status;
    const origin = [token, ...previousTokens].find((record) => record?.id === id) ?? mintIntent;
    if (!origin) return;
    const { region, account, place } = origin;
    const entry = { id, region, place, namespace: metadata.namespace ?? '', name: metadata.name };
    await changeAccountStatus(
      this.#client,
      account,
      ({ retainedTokens = [], ...rest }) => ({
        ...rest,
        retainedTokens: [...retainedTokens.filter((retained) => retained.id !== id), entry].slice(
          -MOST_RETAINED,
        ),
      }),
      signal,
    );
  }

  /**
   * A token is no longer kept on purpose: a RegistryToken takes over its Secret. While the Secret holds it, it is not swept.
   * @param id what the Secret says of itself: whoever may write Secrets can write any token's there
   * @param former the RegistryToken that left it: nothing that another one left is forgotten
   * @param account where it is looked for in any case: a watch can lag
   * @throws KubeError
   */
  async forget(
    id: string | undefined,
    { namespace, name: left }: ObjectName,
    account: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (id === undefined) return;
    const isMeant = (kept: RetainedToken): boolean =>
      kept.id === id && kept.namespace === namespace && kept.name === left;
    const holders = this.#accounts().filter(({ status }) => status?.retainedTokens?.some(isMeant));
    for (const name of new Set([account, ...holders.map(({ metadata }) => metadata.name)])) {
      await changeAccountStatus(
        this.#client,
        name,
        ({ retainedTokens, ...rest }) => {
          const kept = retainedTokens?.filter((retained) => !isMeant(retained)) ?? [];
          return kept.length === 0 ? rest : { ...rest, retainedTokens: kept };
        },
        signal,
      );
    }
  }
}
