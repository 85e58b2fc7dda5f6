import { MANAGED_BY_LABEL, OPERATOR, OWNER_UID_LABEL } from '../../api/names.ts';
import type { RegistryAccount } from '../../api/registry-account.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { KubeObject, ObjectName, Resource } from '../../common/objects.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import type { ReflectorMetrics } from '../../kube/metrics.ts';
import { objectKey } from '../../kube/client/object-key.ts';
import { Reflector } from '../../kube/cache/reflector.ts';
import type { Change } from '../../kube/cache/replica.ts';
import { ScopedReflectors, type WatchHealth } from '../../kube/cache/scoped-reflectors.ts';
import { NAMESPACES, resourceTitle, SECRETS, SERVICE_ACCOUNTS } from '../../kube/client/resources.ts';
import type { Priority } from '../../kube/queue/waiting-keys.ts';
import type { WorkQueue } from '../../kube/queue/work-queue.ts';
import { providerOf } from '../../registry/backends.ts';
import { wantedSecret, winnerOf } from '../../token/secret/claimants.ts';
import { lacksFinalizer } from '../../token/lifecycle/deletion.ts';
import type { ServiceAccount } from '../../token/workloads/service-accounts.ts';
import type { Sources } from '../token/assessor.ts';
import { Deletions } from '../token/deletions.ts';
import {
  essentialCredentials,
  essentialNamespace,
  essentialSecret,
  essentialServiceAccount,
  essentialToken,
} from './kept-fields.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from './resources.ts';
import { ServiceAccountWatch } from '../service-accounts/service-account-watch.ts';
import { accountName, TOKEN_INDEXES } from './token-indexes.ts';

/** Numbers in an account's status follow its RegistryTokens at this distance, many at a time. */
const COUNT_DELAY = 5_000;

export interface WatchesOptions {
  client: KubeClient;
  operatorNamespace: string;
  /** Empty: all. */
  watchNamespaces: readonly string[];
  clock: Clock;
  random: () => number;
  logger: Logger;
  metrics: ReflectorMetrics;
}

/** What takes the keys of RegistryTokens, accounts and ServiceAccounts that a change concerns. */
export interface FedQueues {
  token: WorkQueue;
  account: WorkQueue;
  link: WorkQueue;
}

/**
 * Everything the operator watches, and which RegistryTokens and accounts a change concerns. Queues are fed from `feed` on:
 * before it this process does not lead, and what waits would only be remembered, objects long gone included.
 */
export class Watches implements Sources {
  readonly serviceAccounts: ServiceAccountWatch;
  readonly deletions: Deletions;
  readonly #options: WatchesOptions;
  readonly #tokens: ScopedReflectors<RegistryToken>;
  readonly #secrets: ScopedReflectors<KubeObject>;
  readonly #accounts: Reflector<RegistryAccount>;
  readonly #namespaces: Reflector<KubeObject>;
  readonly #credentials: Reflector<KubeObject>;
  #queues: FedQueues | undefined;

  constructor(options: WatchesOptions) {
    this.#options = options;
    this.deletions = new Deletions(options.clock);
    const { watchNamespaces, operatorNamespace } = options;
    this.#tokens = new ScopedReflectors(watchNamespaces, (namespace) =>
      this.#reflector<RegistryToken>(REGISTRY_TOKENS, {
        namespace,
        trim: essentialToken,
        indexes: TOKEN_INDEXES,
      }),
    );
    this.#secrets = new ScopedReflectors(watchNamespaces, (namespace) =>
      this.#reflector<KubeObject>(SECRETS, {
        namespace,
        labelSelector: `${MANAGED_BY_LABEL}=${OPERATOR}`,
        metadataOnly: true,
        trim: essentialSecret,
        indexes: {
          owner: ({ metadata }) => [ownerKey(metadata.namespace, metadata.labels?.[OWNER_UID_LABEL])],
        },
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
      trim: essentialCredentials,
    });
    this.serviceAccounts = new ServiceAccountWatch({
      reflectors: new ScopedReflectors(watchNamespaces, (namespace) =>
        this.#reflector<ServiceAccount>(SERVICE_ACCOUNTS, { namespace, trim: essentialServiceAccount }),
      ),
      enqueue: (name, priority) => this.#queues?.link.add(objectKey(name), { priority }),
      claimants: (name) => this.claimantsOf(name),
      tokensIn: (namespace) => this.#tokensIn(namespace),
      onStale: (token) => this.#enqueue(token, 'low'),
      clock: options.clock,
    });
    this.#tokens.onChange((change) => this.deletions.onChange(change));
    this.#tokens.onChange((change) => this.#onToken(change));
    this.#secrets.onChange((change) => this.#onSecret(change));
    for (const each of [this.#tokens, this.#secrets])
      each.onReadable((namespace) => {
        for (const token of this.#tokensIn(namespace)) this.#enqueue(token, 'low');
      });
    this.#accounts.onChange((change) => this.#onAccount(change));
    this.#namespaces.onChange((change) => this.#onNamespace(change));
    this.#credentials.onChange((change) => this.#onCredentials(change));
  }

  /** Every watch, for those who look after their health. */
  get watches(): readonly {
    title: string;
    readonly health: Omit<WatchHealth, 'excused'> & { excused?: boolean };
  }[] {
    const { watches } = this.serviceAccounts;
    return [...this.#tokens.watches, ...this.#secrets.watches, ...this.#clusterWide, ...watches];
  }

  get #clusterWide(): readonly Pick<Reflector<KubeObject>, 'health' | 'title' | 'run' | 'whenSynced'>[] {
    return [this.#accounts, this.#namespaces, this.#credentials];
  }

  get #needed(): readonly Pick<Reflector<KubeObject>, 'run' | 'whenSynced'>[] {
    return [this.#tokens, this.#secrets, ...this.#clusterWide];
  }

  /** Calls the handler with each RegistryToken that was added or has changed. */
  onToken(handler: (token: RegistryToken) => void): void {
    this.#tokens.onChange(({ type, object }) => {
      if (type !== 'deleted') handler(object);
    });
  }

  /** Watches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const watches = [...this.#needed, this.serviceAccounts];
    await Promise.all(watches.map((watch) => watch.run(signal)));
  }

  /**
   * Waits for neither ServiceAccounts nor single namespaces that can't be read: without them everything else goes on.
   * @throws the signal's reason
   */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#needed.map((watch) => watch.whenSynced(signal)));
  }

  /** From now on changes go into these queues, and at once everything there is, except accounts. */
  feed(queues: FedQueues): void {
    this.#queues = queues;
    for (const token of this.tokens()) this.#enqueue(token, 'low');
    this.serviceAccounts.enqueueAll(this.tokens());
  }

  /** Whether a namespace can't be read: what RegistryTokens and Secrets are there now is not known. */
  isUnreadable(namespace: string | undefined): boolean {
    return this.#tokens.refuses(namespace) || this.#secrets.refuses(namespace);
  }

  /** Whether any watched namespace can't be read. */
  get unreadable(): boolean {
    return this.#tokens.refused || this.#secrets.refused;
  }

  token(name: ObjectName): RegistryToken | undefined {
    return this.#tokens.get(name);
  }

  /** Whether all namespaces are watched. */
  get complete(): boolean {
    return this.#options.watchNamespaces.length === 0;
  }

  tokenOf(uid: string): RegistryToken | undefined {
    return this.#byIndex('uid', uid)[0];
  }

  /** Every RegistryToken. */
  tokens(): RegistryToken[] {
    return this.#tokens.list();
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
   * Where a RegistryToken has its tokens: account and endpoint, by which they take turns; one that hangs does not hold up the
   * others. Empty for one that is gone.
   */
  placeOf(name: ObjectName): string {
    const token = this.token(name);
    if (!token) return '';
    const account = accountName(token);
    const { spec } = this.account(account) ?? {};
    const region = token.spec.region ?? spec?.defaultRegion;
    return `${account}/${(spec && providerOf(spec)?.places.resolve(region)?.endpoint) ?? region ?? ''}`;
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
    return this.#secrets.list();
  }

  /** Metadata of the Secrets in the namespace of a RegistryToken that bear its uid. */
  secretsOf({ metadata }: RegistryToken): KubeObject[] {
    return this.#secrets.byIndex('owner', ownerKey(metadata.namespace, metadata.uid));
  }

  /** Metadata of a Secret that the operator manages. */
  secret(name: ObjectName): KubeObject | undefined {
    return this.#secrets.get(name);
  }

  /** Looks again at every RegistryToken of an account, after those that changed themselves. */
  enqueueTokensOf(account: string): void {
    for (const token of this.tokensOf(account)) this.#enqueue(token, 'low');
  }

  /** @param namespace undefined: in all of them */
  #tokensIn(namespace: string | undefined): RegistryToken[] {
    return namespace === undefined ? this.tokens() : this.#byIndex('namespace', namespace);
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
    return this.#tokens.byIndex(index, value);
  }

  #enqueue({ metadata }: { metadata: ObjectName }, priority: Priority = 'high'): void {
    this.#queues?.token.add(objectKey(metadata), { priority });
  }

  #enqueueAccount(name: string, delay = 0): void {
    if (delay === 0) this.#queues?.account.add(name);
    else this.#queues?.account.addAfter(name, delay);
  }

  #onToken({ type, object, previous, initial }: Change<RegistryToken>): void {
    if (previous && toldByAccount(previous) !== toldByAccount(object))
      this.#enqueueAccount(accountName(object), COUNT_DELAY);
    this.serviceAccounts.onToken(object, type === 'deleted' ? undefined : previous);
    if (type === 'updated' && previous && !concerns(previous, object)) return;
    this.#enqueue(object, initial ? 'low' : 'high');
    for (const account of new Set([object, previous].flatMap((each) => (each ? [accountName(each)] : []))))
      this.#enqueueAccount(account, COUNT_DELAY);
    if (!initial) this.#onClaim(type === 'deleted' ? undefined : object, previous);
  }

  /** Of those that name one Secret, the others are looked at only when another one gets it. */
  #onClaim(now: RegistryToken | undefined, before: RegistryToken | undefined): void {
    const claims = [now, before].flatMap((each) => (each ? [wantedSecret(each)] : []));
    const { namespace = '', uid } = (now ?? before)?.metadata ?? { uid: '' };
    for (const name of new Set(claims)) {
      const others = this.claimants(namespace, name).filter(({ metadata }) => metadata.uid !== uid);
      const winnerWith = (each: RegistryToken | undefined): RegistryToken | undefined =>
        winnerOf(each && wantedSecret(each) === name ? [...others, each] : others);
      const winner = winnerWith(now);
      if (winner?.metadata.uid === winnerWith(before)?.metadata.uid) continue;
      if (winner) this.#enqueue(winner);
      for (const other of others) this.#enqueue(other, 'low');
    }
  }

  #onSecret({ object, previous, initial }: Change<KubeObject>): void {
    for (const { metadata } of previous ? [object, previous] : [object]) {
      const uid = metadata.labels?.[OWNER_UID_LABEL];
      if (uid === undefined) continue;
      const bearer = this.tokenOf(uid);
      // Elsewhere it is a copy, which does not concern whom it was copied from.
      const owner = bearer?.metadata.namespace === metadata.namespace ? bearer : undefined;
      const claimants = this.claimants(metadata.namespace ?? '', metadata.name);
      // One that its RegistryToken gives up, and one whose RegistryToken is gone, as after a restore, may be another's by now.
      const concerned = owner ? new Set([owner, winnerOf(claimants) ?? owner]) : claimants;
      for (const token of concerned) this.#enqueue(token, initial || !owner ? 'low' : 'high');
    }
  }

  #onAccount({ type, object, previous, initial }: Change<RegistryAccount>): void {
    if (type === 'updated' && previous?.metadata.generation === object.metadata.generation) return;
    // Those there are from the start are tried before anything else.
    if (initial) return;
    // Once it was looked at, so are its RegistryTokens.
    this.#enqueueAccount(object.metadata.name);
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
      if (account.spec.credentialsSecretRef?.name === object.metadata.name) {
        this.#enqueueAccount(account.metadata.name);
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
    JSON.stringify(before.annotations) !== JSON.stringify(after.annotations)
  );
}

/** What an account's status says of its RegistryTokens. */
const toldByAccount = ({ status }: RegistryToken): string =>
  JSON.stringify([status?.lastHandledAccountRotation, status?.pendingHost]);

const ownerKey = (namespace = '', uid = ''): string => `${namespace}/${uid}`;
