import { MANAGED_BY_LABEL, OPERATOR, OWNER_UID_LABEL, ROTATE_ANNOTATION } from '../api/names.ts';
import { ACCOUNT_DEFAULTS, type RegistryAccount } from '../api/registry-account.ts';
import type { RegistryToken } from '../api/registry-token.ts';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { KubeObject, ObjectName, Resource } from '../common/objects.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ReflectorMetrics } from '../kube/metrics.ts';
import { objectKey } from '../kube/object-key.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Change } from '../kube/replica.ts';
import { NAMESPACES, resourceTitle, SECRETS, SERVICE_ACCOUNTS } from '../kube/resources.ts';
import type { WorkQueue } from '../kube/work-queue.ts';
import { Regions } from '../registry/regions.ts';
import { lacksFinalizer } from '../token/deletion.ts';
import type { ServiceAccount } from '../token/service-accounts.ts';
import type { Sources } from './assessor.ts';
import { Deletions } from './deletions.ts';
import {
  essentialNamespace,
  essentialSecret,
  essentialServiceAccount,
  essentialToken,
} from './essentials.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from './resources.ts';
import { ServiceAccountWatch } from './service-account-watch.ts';
import { accountName, secretName, TOKEN_INDEXES } from './token-indexes.ts';

/** Numbers in an account's status follow its RegistryTokens at this distance, many at a time. */
const COUNT_DELAY = 5_000;

export interface WatchesOptions {
  client: KubeClient;
  operatorNamespace: string;
  /** Empty: all. */
  watchNamespaces: readonly string[];
  tokenQueue: WorkQueue;
  accountQueue: WorkQueue;
  /** Of ServiceAccounts. */
  linkQueue: WorkQueue;
  clock: Clock;
  random: () => number;
  logger: Logger;
  metrics: ReflectorMetrics;
}

/** Everything the operator watches, and which RegistryTokens and accounts a change concerns. */
export class Watches implements Sources {
  readonly serviceAccounts: ServiceAccountWatch;
  readonly deletions: Deletions;
  readonly #options: WatchesOptions;
  readonly #tokens: Reflector<RegistryToken>[];
  readonly #secrets: Reflector<KubeObject>[];
  readonly #accounts: Reflector<RegistryAccount>;
  readonly #namespaces: Reflector<KubeObject>;
  readonly #credentials: Reflector<KubeObject>;

  constructor(options: WatchesOptions) {
    this.#options = options;
    this.deletions = new Deletions(options.clock);
    const { watchNamespaces, operatorNamespace } = options;
    const scopes = watchNamespaces.length === 0 ? [undefined] : watchNamespaces;
    this.#tokens = scopes.map((namespace) =>
      this.#reflector<RegistryToken>(REGISTRY_TOKENS, {
        namespace,
        trim: essentialToken,
        indexes: TOKEN_INDEXES,
      }),
    );
    this.#secrets = scopes.map((namespace) =>
      this.#reflector<KubeObject>(SECRETS, {
        namespace,
        labelSelector: `${MANAGED_BY_LABEL}=${OPERATOR}`,
        metadataOnly: true,
        trim: essentialSecret,
        indexes: { owner: ({ metadata }) => [metadata.labels?.[OWNER_UID_LABEL] ?? ''] },
      }),
    );
    this.#accounts = this.#reflector<RegistryAccount>(REGISTRY_ACCOUNTS, {});
    this.#namespaces = this.#reflector<KubeObject>(NAMESPACES, {
      metadataOnly: true,
      trim: essentialNamespace,
    });
    this.#credentials = this.#reflector<KubeObject>(SECRETS, {
      title: 'credentials',
      namespace: operatorNamespace,
      metadataOnly: true,
    });
    this.serviceAccounts = new ServiceAccountWatch({
      reflectors: scopes.map((namespace) =>
        this.#reflector<ServiceAccount>(SERVICE_ACCOUNTS, { namespace, trim: essentialServiceAccount }),
      ),
      queue: options.linkQueue,
      claimants: (name) => this.claimantsOf(name),
      onStale: (token) => this.#enqueue(token, true),
      clock: options.clock,
    });
    for (const reflector of this.#tokens) {
      reflector.onChange((change) => this.deletions.onChange(change));
      reflector.onChange((change) => this.#onToken(change));
    }
    for (const reflector of this.#secrets) reflector.onChange((change) => this.#onSecret(change));
    this.#accounts.onChange((change) => this.#onAccount(change));
    this.#namespaces.onChange((change) => this.#onNamespace(change));
    this.#credentials.onChange((change) => this.#onCredentials(change));
  }

  /** Every watch, for those who look after their health. */
  get watches(): readonly Pick<Reflector<KubeObject>, 'health' | 'title'>[] {
    return [...this.#reflectors, ...this.serviceAccounts.watches];
  }

  get #reflectors(): readonly Pick<Reflector<KubeObject>, 'health' | 'title' | 'run' | 'whenSynced'>[] {
    return [...this.#tokens, ...this.#secrets, this.#accounts, this.#namespaces, this.#credentials];
  }

  /** Watches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const watches = [...this.#reflectors, this.serviceAccounts];
    await Promise.all(watches.map((watch) => watch.run(signal)));
  }

  /** Does not wait for ServiceAccounts: without them everything else goes on. @throws the signal's reason */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.whenSynced(signal)));
  }

  token(name: ObjectName): RegistryToken | undefined {
    return firstDefined(this.#tokens, ({ store }) => store.get(name));
  }

  /** Every RegistryToken. */
  tokens(): RegistryToken[] {
    return this.#tokens.flatMap(({ store }) => [...store.list()]);
  }

  claimants(namespace: string, secret: string): RegistryToken[] {
    return this.#byIndex('secret', objectKey({ namespace, name: secret }));
  }

  /** RegistryTokens that have to do with a ServiceAccount, or had. */
  claimantsOf(serviceAccount: ObjectName): RegistryToken[] {
    return this.#byIndex('serviceAccount', objectKey(serviceAccount));
  }

  /** RegistryTokens that refer to an account. */
  tokensOf(account: string): RegistryToken[] {
    return this.#byIndex('account', account);
  }

  /**
   * Where a RegistryToken has its tokens: account and region, by which they take turns; one that hangs does not hold up the
   * others. Empty for one that is gone.
   */
  placeOf(name: ObjectName): string {
    const token = this.token(name);
    if (!token) return '';
    const account = accountName(token);
    const { spec } = this.account(account) ?? {};
    const region = token.spec.region ?? spec?.defaultRegion ?? ACCOUNT_DEFAULTS.defaultRegion;
    return `${account}/${new Regions(spec ?? {}).find(region)?.name ?? region}`;
  }

  account(name: string): RegistryAccount | undefined {
    return this.#accounts.store.get({ name });
  }

  accounts(): RegistryAccount[] {
    return [...this.#accounts.store.list()];
  }

  namespace(name: string): KubeObject | undefined {
    return this.#namespaces.store.get({ name });
  }

  /** Metadata of every Secret that the operator manages. */
  secrets(): KubeObject[] {
    return this.#secrets.flatMap(({ store }) => store.list());
  }

  /** Metadata of the Secrets that bear the uid of a RegistryToken. */
  secretsOf(uid: string): KubeObject[] {
    return this.#secrets.flatMap(({ store }) => [...store.byIndex('owner', uid)]);
  }

  /** Metadata of a Secret that the operator manages. */
  secret(name: ObjectName): KubeObject | undefined {
    return firstDefined(this.#secrets, ({ store }) => store.get(name));
  }

  /** Looks again at every RegistryToken of an account, after those that changed themselves. */
  enqueueTokensOf(account: string): void {
    for (const token of this.tokensOf(account)) this.#enqueue(token, true);
  }

  #reflector<T extends KubeObject>(
    resource: Resource,
    options: {
      title?: string;
      namespace?: string | undefined;
      labelSelector?: string;
      metadataOnly?: boolean;
      trim?: (object: T) => T;
      indexes?: Record<string, (object: T) => string[]>;
    },
  ): Reflector<T> {
    const { client, clock, random, logger, metrics } = this.#options;
    const kind = resourceTitle(resource);
    const title = options.namespace === undefined ? kind : `${kind} in ${options.namespace}`;
    return new Reflector<T>({ client, resource, title, clock, random, logger, metrics, ...options });
  }

  #byIndex(index: string, value: string): RegistryToken[] {
    return this.#tokens.flatMap(({ store }) => [...store.byIndex(index, value)]);
  }

  #enqueue({ metadata }: { metadata: { namespace?: string; name: string } }, oneOfMany = false): void {
    const key = objectKey({ namespace: metadata.namespace, name: metadata.name });
    this.#options.tokenQueue.add(key, { priority: oneOfMany ? 'low' : 'high' });
  }

  #onToken({ type, object, previous, initial }: Change<RegistryToken>): void {
    if (previous && handledRotation(previous) !== handledRotation(object))
      this.#options.accountQueue.addAfter(accountName(object), COUNT_DELAY);
    this.serviceAccounts.onToken(object, type === 'deleted' ? undefined : previous);
    if (type === 'updated' && previous && !concerns(previous, object)) return;
    // Whoever begins to lead looks at all there are.
    if (!initial) this.#enqueue(object);
    const { accountQueue } = this.#options;
    for (const account of new Set([object, previous].flatMap((each) => (each ? [accountName(each)] : [])))) {
      accountQueue.addAfter(account, COUNT_DELAY);
    }
    if (initial) return;
    const { namespace = '' } = object.metadata;
    for (const name of new Set([secretName(object), secretName(previous ?? object)])) {
      for (const rival of this.claimants(namespace, name)) this.#enqueue(rival);
    }
  }

  #onSecret({ object, previous, initial }: Change<KubeObject>): void {
    if (initial) return;
    for (const { metadata } of previous ? [object, previous] : [object]) {
      const uid = metadata.labels?.[OWNER_UID_LABEL];
      if (uid === undefined) continue;
      for (const token of this.#byIndex('uid', uid)) this.#enqueue(token);
    }
  }

  #onAccount({ type, object, previous, initial }: Change<RegistryAccount>): void {
    if (type === 'updated' && previous?.metadata.generation === object.metadata.generation) return;
    // Those there are from the start are tried before anything else.
    if (initial) return;
    const { name } = object.metadata;
    this.#options.accountQueue.add(name);
    this.enqueueTokensOf(name);
  }

  #onNamespace({ object, previous, initial }: Change<KubeObject>): void {
    if (initial) return;
    const was = previous?.metadata;
    const is = object.metadata;
    const same = JSON.stringify(was?.labels) === JSON.stringify(is.labels);
    if (was && same && was.deletionTimestamp === is.deletionTimestamp) return;
    for (const token of this.#byIndex('namespace', is.name)) this.#enqueue(token);
  }

  #onCredentials({ object, initial }: Change<KubeObject>): void {
    if (initial) return;
    for (const account of this.#accounts.store.list()) {
      if (account.spec.credentialsSecretRef.name === object.metadata.name) {
        this.#options.accountQueue.add(account.metadata.name);
      }
    }
  }
}

/** Whether a change of a RegistryToken calls for anything; the operator's own writes of status and finalizers do not. */
function concerns(previous: RegistryToken, object: RegistryToken): boolean {
  const { metadata: before } = previous;
  const { metadata: after } = object;
  return (
    (lacksFinalizer(object) && !lacksFinalizer(previous)) ||
    before.uid !== after.uid ||
    before.generation !== after.generation ||
    before.deletionTimestamp !== after.deletionTimestamp ||
    before.annotations?.[ROTATE_ANNOTATION] !== after.annotations?.[ROTATE_ANNOTATION]
  );
}

const handledRotation = ({ status }: RegistryToken): string | undefined => status?.lastHandledAccountRotation;

function firstDefined<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
