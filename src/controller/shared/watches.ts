import type { RegistryAccount } from '../../api/registry-account.ts';
import { accountName, type RegistryToken } from '../../api/registry-token.ts';
import type { KubeObject, ObjectName } from '../../common/objects.ts';
import { objectKey } from '../../kube/client/object-key.ts';
import type { Reflector } from '../../kube/cache/reflector.ts';
import type { WorkQueue } from '../../kube/queue/work-queue.ts';
import type { WatchHealth } from '../../kube/cache/scoped-reflectors.ts';
import { providerOf } from '../../registry/backends.ts';
import type { Sources } from '../token/assessor.ts';
import { Deletions } from '../token/deletions.ts';
import { ClusterTokenWatch } from '../cluster-token/cluster-token-watch.ts';
import { PodWatch } from '../pods/pod-watch.ts';
import { ServiceAccountWatch } from '../service-accounts/service-account-watch.ts';
import { includesServiceAccount, serviceAccountPatterns } from '../../token/workloads/service-accounts.ts';
import { WatchedChanges, type ChangeSources, type FedQueues } from './watched-changes.ts';
import {
  ownerKey,
  visitServiceAccounts,
  watchedKinds,
  type WatchedKinds,
  type WatchedKindsOptions,
} from './watched-kinds.ts';

/** What the operator knows by watching, and the changes that it is told of. */
export class Watches implements Sources, ChangeSources {
  readonly serviceAccounts: ServiceAccountWatch;
  /** Where pods are counted. */
  readonly pods: PodWatch | undefined;
  readonly deletions: Deletions;
  /** undefined: they are not looked after. */
  readonly clusterTokens: ClusterTokenWatch | undefined;
  /** Whether all namespaces are watched. */
  readonly complete: boolean;
  readonly #kinds: WatchedKinds;
  readonly #changes: WatchedChanges;

  constructor(options: WatchedKindsOptions) {
    const { clock, watchNamespaces } = options;
    this.complete = watchNamespaces.length === 0;
    this.deletions = new Deletions(clock);
    this.#kinds = watchedKinds(options);
    const { tokens, secrets, serviceAccounts, pods, accounts, clusterTokens, namespaces, credentials } =
      this.#kinds;
    const changes = new WatchedChanges(this);
    this.#changes = changes;
    this.serviceAccounts = new ServiceAccountWatch({
      reflectors: serviceAccounts,
      enqueue: (name, priority) => changes.enqueueServiceAccount(name, priority),
      claimants: (name) => this.claimantsOf(name),
      tokensIn: (namespace) => this.tokensIn(namespace),
      onStale: (token) => changes.enqueue(token, 'low'),
      listAll: (visit, signal) => visitServiceAccounts(options, visit, signal),
      logger: options.logger,
      clock,
    });
    this.pods =
      pods &&
      new PodWatch({
        reflectors: pods,
        claimants: (namespace, secret) => this.claimants(namespace, secret),
        tokensIn: (namespace) => this.tokensIn(namespace),
        hasSecret: (name) => this.secret(name) !== undefined,
        onCounts: (token) => changes.enqueueCount(token),
      });
    tokens.onChange((change) => this.deletions.onChange(change));
    tokens.onChange((change) => changes.onToken(change));
    secrets.onChange((change) => changes.onSecret(change));
    for (const each of [tokens, secrets])
      each.onReadable((namespace) => {
        for (const token of this.tokensIn(namespace)) changes.enqueue(token, 'low');
      });
    accounts.onChange((change) => changes.onAccount(change));
    this.clusterTokens =
      clusterTokens && new ClusterTokenWatch(clusterTokens, (name) => this.childrenOf(name));
    if (this.clusterTokens) {
      const watch = this.clusterTokens;
      tokens.onChange((change) => watch.onToken(change));
      namespaces.onChange((change) => watch.onNamespace(change));
    }
    namespaces.onChange((change) => changes.onNamespace(change));
    credentials.onChange((change) => changes.onCredentials(change));
  }

  /** Every watch, for those who look after their health. */
  get watches(): readonly {
    title: string;
    readonly health: Omit<WatchHealth, 'excused'> & { excused?: boolean };
  }[] {
    const { watches } = this.serviceAccounts;
    const { tokens, secrets } = this.#kinds;
    const pods = this.pods?.watches ?? [];
    return [...tokens.watches, ...secrets.watches, ...this.#clusterWide, ...watches, ...pods];
  }

  get #clusterWide(): readonly Pick<Reflector<KubeObject>, 'health' | 'title' | 'run' | 'whenSynced'>[] {
    const { accounts, clusterTokens, namespaces, credentials } = this.#kinds;
    return [accounts, ...(clusterTokens ? [clusterTokens] : []), namespaces, credentials];
  }

  get #needed(): readonly Pick<Reflector<KubeObject>, 'run' | 'whenSynced'>[] {
    const { tokens, secrets } = this.#kinds;
    return [tokens, secrets, ...this.#clusterWide];
  }

  /** Calls the handler with each RegistryToken that was added or has changed. */
  onToken(handler: (token: RegistryToken) => void): void {
    this.#kinds.tokens.onChange(({ type, object }) => {
      if (type !== 'deleted') handler(object);
    });
  }

  /** Watches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const watches = [...this.#needed, this.serviceAccounts, ...(this.pods ? [this.pods] : [])];
    await Promise.all(watches.map((watch) => watch.run(signal)));
  }

  /**
   * Waits for neither ServiceAccounts, pods nor single namespaces that can't be read: without them everything else goes on.
   * @throws the signal's reason
   */
  async whenSynced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#needed.map((watch) => watch.whenSynced(signal)));
  }

  /** From now on changes go into these queues, and at once everything there is, except accounts. */
  feed(queues: FedQueues & { clusterToken?: WorkQueue }): void {
    this.#changes.feed(queues);
    if (queues.clusterToken) this.clusterTokens?.feed(queues.clusterToken);
    for (const token of this.tokens()) this.#changes.enqueue(token, 'low');
    this.serviceAccounts.enqueueAll(this.tokens());
    if (this.pods) for (const token of this.tokens()) this.#changes.enqueueCount(token);
  }

  /** Whether a namespace can't be read: what RegistryTokens and Secrets are there now is not known. */
  isUnreadable(namespace: string | undefined): boolean {
    return this.#kinds.tokens.refuses(namespace) || this.#kinds.secrets.refuses(namespace);
  }

  /** Whether any watched namespace can't be read. */
  get unreadable(): boolean {
    return this.#kinds.tokens.refused || this.#kinds.secrets.refused;
  }

  token(name: ObjectName): RegistryToken | undefined {
    return this.#kinds.tokens.get(name);
  }

  tokenOf(uid: string): RegistryToken | undefined {
    return this.#byIndex('uid', uid)[0];
  }

  /** Every RegistryToken. */
  tokens(): RegistryToken[] {
    return this.#kinds.tokens.list();
  }

  claimants(namespace: string, secret: string): RegistryToken[] {
    return this.#byIndex('secret', objectKey({ namespace, name: secret }));
  }

  /** RegistryTokens that have to do with a ServiceAccount, or had. */
  claimantsOf(serviceAccount: ObjectName): RegistryToken[] {
    const byName = this.#byIndex('serviceAccount', objectKey(serviceAccount));
    const byPattern = this.#byIndex('serviceAccountPattern', serviceAccount.namespace ?? '').filter((token) =>
      includesServiceAccount(serviceAccountPatterns(token), serviceAccount.name),
    );
    return byPattern.length === 0 ? byName : [...new Set([...byName, ...byPattern])];
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
    const account = accountName(token.spec);
    const { spec } = this.account(account) ?? {};
    const region = token.spec.region ?? spec?.defaultRegion;
    return `${account}/${(spec && providerOf(spec)?.places.resolve(region)?.endpoint) ?? region ?? ''}`;
  }

  account(name: string): RegistryAccount | undefined {
    return this.#kinds.accounts.store.get({ name });
  }

  accounts(): RegistryAccount[] {
    return [...this.#kinds.accounts.store.list()];
  }

  namespace(name: string): KubeObject | undefined {
    return this.#kinds.namespaces.store.get({ name });
  }

  namespaces(): KubeObject[] {
    return this.#kinds.namespaces.store.list();
  }

  /** The RegistryTokens of a ClusterRegistryToken, by its name. */
  childrenOf(clusterToken: string): RegistryToken[] {
    return this.#byIndex('clusterToken', clusterToken);
  }

  /** Metadata of every Secret that the operator manages. */
  secrets(): KubeObject[] {
    return this.#kinds.secrets.list();
  }

  /** Metadata of the Secrets in the namespace of a RegistryToken that bear its uid. */
  secretsOf({ metadata }: RegistryToken): KubeObject[] {
    return this.#kinds.secrets.byIndex('owner', ownerKey(metadata.namespace, metadata.uid));
  }

  /** Metadata of a Secret that the operator manages. */
  secret(name: ObjectName): KubeObject | undefined {
    return this.#kinds.secrets.get(name);
  }

  /** Looks again at every RegistryToken of an account, after those that changed themselves. */
  enqueueTokensOf(account: string): void {
    for (const token of this.tokensOf(account)) this.#changes.enqueue(token, 'low');
  }

  /** RegistryTokens in a namespace; undefined: in all of them. */
  tokensIn(namespace: string | undefined): RegistryToken[] {
    return namespace === undefined ? this.tokens() : this.#byIndex('namespace', namespace);
  }

  #byIndex(index: string, value: string): RegistryToken[] {
    return this.#kinds.tokens.byIndex(index, value);
  }
}
