import { ACCOUNT_DEFAULTS, type RegistryAccount } from '../../api/registry-account.ts';
import { TOKEN_ID_ANNOTATION } from '../../api/names.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../api/resources.ts';
import type { KubeObject, ObjectMeta } from '../../common/objects.ts';
import { NAMESPACES, SECRETS } from '../../kube/client/resources.ts';
import { providerOf } from '../../registry/backends.ts';
import { credentialsData } from '../../registry/credentials-data.ts';
import { RegistryDirectory, type AccountCredentials } from '../../registry/directory.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { ListedToken, Place } from '../../registry/port.ts';
import type { Secret } from '../../token/secret/secret.ts';
import { knownScopes } from '../../token/sweep/known-scopes.ts';
import type { Context } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { NO_METRICS, registryHttp } from '../registries.ts';
import { scan } from '../scan.ts';
import { found, see } from '../seen.ts';
import { clusterIdOf, tokenRow, type Owners, type TokenRow } from './rows.ts';

/** Which account's registry is asked, and where its credentials are. */
export interface AccountChoice {
  account: string;
  /** Where the operator runs. */
  operatorNamespace: string;
  /** Undefined: all that the account has. */
  region: string | undefined;
}

/** What is known of an account's tokens in the cluster. */
export interface AccountTokens {
  account: RegistryAccount;
  tokens: RegistryToken[];
}

/** The account and all RegistryTokens, whichever account they use now: earlier tokens can be of another. */
export async function accountTokens({ client, signal }: Context, name: string): Promise<AccountTokens> {
  const [account, tokens] = await Promise.all([
    client.get<RegistryAccount>(REGISTRY_ACCOUNTS, { name }, { signal }),
    client.listAll<RegistryToken>(REGISTRY_TOKENS, { signal }),
  ]);
  return { account, tokens };
}

/** An account's registry, asked with the account's own credentials, which the user must be able to read. */
export class AccountRegistry {
  readonly #context: Context;
  readonly #known: AccountTokens;
  readonly #directory: RegistryDirectory;
  readonly #credentials: AccountCredentials;

  /**
   * Reads the credentials. @param given what of the cluster was read already
   * @throws CommandFailure where the registry keeps no list, or there are no credentials to ask it with; KubeError
   */
  static async open(
    context: Context,
    choice: AccountChoice,
    given?: AccountTokens,
  ): Promise<AccountRegistry> {
    const known = given ?? (await accountTokens(context, choice.account));
    const { account } = known;
    const { name } = account.metadata;
    const provider = providerOf(account.spec);
    if (!provider) throw new CommandFailure(`RegistryAccount ${name} names no registry`);
    if (!provider.capabilities.revoke)
      throw new CommandFailure(
        `${provider.title} keeps no list of tokens, and none can be revoked: each ends by itself`,
        'see when with: kubectl registrytoken get -A',
      );
    const secretName = account.spec.credentialsSecretRef?.name;
    const secret =
      secretName === undefined
        ? undefined
        : await context.client.get<Secret & KubeObject>(
            SECRETS,
            { namespace: choice.operatorNamespace, name: secretName },
            { signal: context.signal },
          );
    const read = provider.readCredentials(secret && credentialsData(secret.data));
    if ('problem' in read) throw new CommandFailure(`RegistryAccount ${name} can't be used: ${read.problem}`);
    const { requestsPerSecond = ACCOUNT_DEFAULTS.requestsPerSecond, caBundle } = account.spec;
    return new AccountRegistry(context, known, {
      name,
      credentials: read,
      requestsPerSecond,
      caBundle: caBundle || undefined,
    });
  }

  private constructor(context: Context, known: AccountTokens, credentials: AccountCredentials) {
    this.#context = context;
    this.#known = known;
    this.#credentials = credentials;
    this.#directory = new RegistryDirectory({
      ...registryHttp(context),
      metrics: NO_METRICS,
      environment: context.variables,
    });
  }

  /**
   * All tokens of the account.
   * @returns also what could not be listed, and what may not be seen of that which uses them
   */
  async rows(
    region: string | undefined,
  ): Promise<{ rows: TokenRow[]; failures: string[]; usersUnseen?: string }> {
    const failures: string[] = [];
    const listed: { place: Place; tokens: ListedToken[] }[] = [];
    for (const place of this.#places(region)) {
      try {
        listed.push({ place, tokens: await this.#list(place) });
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        failures.push(`${place.region || place.host}: ${error.message}`);
      }
    }
    const { owners, usersUnseen } = await this.#owners(listed.flatMap(({ tokens }) => tokens));
    const now = this.#context.clock.now();
    const rows = listed.flatMap(({ place, tokens }) =>
      tokens.map((each) => tokenRow(each, place.region, owners, now)),
    );
    return { rows, failures, ...(usersUnseen !== undefined && { usersUnseen }) };
  }

  /** @returns whether the registry knew it. @throws RegistryError */
  async revoke(id: string, region: string): Promise<boolean> {
    const registry = this.#directory.registry(this.#credentials, region);
    return (await registry.revoke?.(id, this.#context.signal)) ?? false;
  }

  /** Each endpoint once: regions can share one. */
  #places(region: string | undefined): Place[] {
    const { places } = this.#credentials.credentials;
    if (region !== undefined) {
      const place = places.resolve(region);
      if (!place) throw new CommandFailure(`the account has no region ${region}`);
      return [place];
    }
    return [
      ...new Map(places.all.toReversed().map((place) => [place.endpoint, place])).values(),
    ].toReversed();
  }

  async #list({ region }: Place): Promise<ListedToken[]> {
    const { signal } = this.#context;
    const registry = this.#directory.registry(this.#credentials, region);
    const { account, tokens } = this.#known;
    let scopes: (readonly string[])[] = [[]];
    if (registry.capabilities.scope?.listedApart === true) {
      const known = [...knownScopes(account.metadata.name, account, tokens)].map((name) =>
        name === '' ? [] : [name],
      );
      const seen = (await registry.scopes?.(signal)) ?? [];
      scopes = [...new Map([...known, ...seen, []].map((scope) => [scope.join(), scope])).values()];
    }
    const rows = new Map<string, ListedToken>();
    for (const scope of scopes)
      for (const row of (await registry.list?.(scope, (each) => each, signal)) ?? [])
        if (!row.identity) rows.set(row.id, row);
    return [...rows.values()];
  }

  /**
   * What uses them, read once they are listed: a token that came in between is used by what came before it. In this order, since
   * a token goes from a RegistryToken to what is retained, never back.
   */
  async #owners(rows: readonly ListedToken[]): Promise<{ owners: Owners; usersUnseen?: string }> {
    const { client, signal } = this.#context;
    const system = await see(
      found(client.get(NAMESPACES, { name: 'kube-system' }, { metadataOnly: true, signal })),
    );
    const tokens = await client.listAll<RegistryToken>(REGISTRY_TOKENS, { signal });
    const accounts = await see(client.listAll<RegistryAccount>(REGISTRY_ACCOUNTS, { signal }));
    const secrets = await see(this.#secretsWithTokens());
    const seen = 'value' in accounts ? accounts.value : [this.#known.account];
    const uid = 'value' in system ? system.value?.metadata.uid : undefined;
    const owners = {
      tokens,
      retained: seen.flatMap(({ status }) => status?.retainedTokens ?? []),
      secrets: 'value' in secrets ? secrets.value : undefined,
      clusterId: clusterIdOf(rows, tokens, uid),
    };
    const unseen = [secrets, accounts].flatMap((each) => ('unseen' in each ? each.unseen : []));
    return unseen.length > 0 ? { owners, usersUnseen: unseen.join('; ') } : { owners };
  }

  /** Of all Secrets little is kept: a copy can have lost the operator's labels. */
  async #secretsWithTokens(): Promise<{ metadata: ObjectMeta }[]> {
    const { client, signal } = this.#context;
    const secrets: { metadata: ObjectMeta }[] = [];
    await scan(client, SECRETS, { metadataOnly: true, signal }, () => {
      secrets.length = 0;
      return ({ metadata }) => {
        const { [TOKEN_ID_ANNOTATION]: id } = metadata.annotations ?? {};
        if (id === undefined) return;
        const { namespace = '', name, uid, resourceVersion, creationTimestamp } = metadata;
        const annotations = { [TOKEN_ID_ANNOTATION]: id };
        secrets.push({ metadata: { namespace, name, uid, resourceVersion, creationTimestamp, annotations } });
      };
    });
    return secrets;
  }
}
