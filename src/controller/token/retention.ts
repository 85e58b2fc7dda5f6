import type { RegistryAccount } from '../../api/registry-account.ts';
import type { PreviousToken, RegistryToken } from '../../api/registry-token.ts';
import type { Logger } from '../../common/logger.ts';
import type { ObjectName } from '../../common/objects.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { changeAccountStatus } from '../account/account-status.ts';
import { isSameToken } from '../../token/lifecycle/place.ts';
import type { RetainedToken } from '../../token/sweep/retained.ts';
import { idsOf } from '../shared/log-fields.ts';

/** As many as an account's status holds. What has no room there is protected by its Secret only. */
const MAX_RETAINED = 1_000;

/**
 * Remembers, in the status of their account, the tokens that outlive their RegistryToken on purpose, so that the sweep
 * never takes one for an orphan. Their Secret alone would not do: it can go with its namespace while copies of it, which
 * nobody here knows of, are still pulled with. Who wants such a token gone revokes it at the registry by its identifier;
 * the next sweep strikes it off.
 */
export class Retention {
  readonly #client: KubeClient;
  readonly #accounts: () => readonly RegistryAccount[];
  readonly #logger: Logger;

  /** @param accounts as the watch knows them */
  constructor(client: KubeClient, accounts: () => readonly RegistryAccount[], logger: Logger) {
    this.#client = client;
    this.#accounts = accounts;
    this.#logger = logger;
  }

  /**
   * Remembers a token before its RegistryToken goes, if there is room: one has no right to that of others.
   * @param kept which the status names, or which is known to have come of its open mint; what a Secret says alone proves nothing
   * @throws KubeError
   */
  async remember(
    registryToken: RegistryToken,
    kept: Pick<PreviousToken, 'id' | 'region' | 'account' | 'place' | 'scope'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { metadata } = registryToken;
    const { id, region, account, place, scope = [] } = kept;
    const entry = {
      id,
      region,
      // Of more names the token is listed with those of none, and a thousand long scopes would not fit.
      ...(scope.length === 1 && { scope }),
      place,
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      uid: metadata.uid,
    };
    await changeAccountStatus(
      this.#client,
      account,
      ({ retainedTokens = [], ...rest }) => {
        const others = retainedTokens.filter((retained) => !isSameToken(retained, entry));
        if (others.length < MAX_RETAINED) return { ...rest, retainedTokens: [...others, entry] };
        const message = `status.retainedTokens of RegistryAccount ${account} is full: only its Secret keeps the token from the sweep`;
        this.#logger.warn({ ...idsOf(registryToken), id }, message);
        return { ...rest, retainedTokens };
      },
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
