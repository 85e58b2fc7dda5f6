import { OPERATOR } from '../api/names.ts';
import type { Clock } from '../common/clock.ts';
import { withDeadline } from '../common/deadline.ts';
import type { Redacted } from '../common/redacted.ts';
import type { Logger } from '../common/logger.ts';
import type { ObjectName } from '../common/objects.ts';
import type { KubeClient } from '../kube/client.ts';
import { EventRecorder } from '../kube/event-recorder.ts';
import type { ReflectorMetrics, WorkerPoolMetrics, WorkQueueMetrics } from '../kube/metrics.ts';
import { objectKey, parseObjectKey } from '../kube/object-key.ts';
import { WorkQueue, type Fairness } from '../kube/work-queue.ts';
import { WorkerPool, type ReconcileResult } from '../kube/worker-pool.ts';
import type { RegistryDirectory } from '../registry/directory.ts';
import { AccountController } from './account-controller.ts';
import { AccountSessions } from './account-sessions.ts';
import { Assessor } from './assessor.ts';
import { FormerSecrets } from './former-secrets.ts';
import { Issuer } from './issuer.ts';
import { Memory } from './memory.ts';
import type { TokenMetrics } from './metrics.ts';
import { Minter } from './minter.ts';
import { PodEvictor } from './pod-evictor.ts';
import { Retention } from './retention.ts';
import { Revoker } from './revoker.ts';
import { SecretStore } from './secret-store.ts';
import { SecretWriter } from './secret-writer.ts';
import { Sweeper } from './sweeper.ts';
import { TokenClient } from './token-client.ts';
import { TokenController } from './token-controller.ts';
import { TokenFinalizer } from './token-finalizer.ts';
import { TokenUsers } from './token-users.ts';
import { Verifier } from './verifier.ts';
import { ServiceAccountLinker } from './service-account-linker.ts';
import { Watches } from './watches.ts';

/** What an administrator decides. Durations in milliseconds. */
export interface OperatorSettings {
  operatorNamespace: string;
  watchNamespaces: readonly string[];
  /** Default: the uid of the namespace kube-system. */
  clusterId?: string | undefined;
  workers: number;
  mintBudget: number;
  defaultGracePeriod: number;
  revocationDeadline: number;
  /** What becomes of tokens with this cluster's tag that nothing uses. */
  sweep: 'revoke' | 'report' | 'off';
  sweepInterval: number;
  /** How long such a token must have been seen unused before it is revoked. */
  sweepDelay: number;
  /** Whether pods that came before their Secret was good are evicted. */
  evictPods: boolean;
  /** How long work under way may take to end once the operator is told to stop. */
  shutdownTimeout: number;
}

export interface OperatorMetrics {
  token: TokenMetrics;
  reflector: ReflectorMetrics;
  workers: WorkerPoolMetrics;
  /** Those of the queue of a controller's name. */
  queue: (controller: string) => WorkQueueMetrics;
}

export interface OperatorOptions {
  settings: OperatorSettings;
  client: KubeClient;
  directory: RegistryDirectory;
  /** Name of this process among its replicas. */
  identity: string;
  /** Told of every key and password read, so that no log line lets one through. */
  protect: (secret: Redacted) => void;
  metrics: OperatorMetrics;
  logger: Logger;
  clock: Clock;
  random: () => number;
}

/** Accounts get a head start of this at most, so that tokens do not find them not ready for want of having been looked at. */
const HEAD_START = 5_000;
const ACCOUNT_WORKERS = 4;
const SWEEP_WORKERS = 4;
const LINK_WORKERS = 4;

/** The operator without its surroundings: watches always, acts while it leads. */
export class Operator {
  readonly watches: Watches;
  readonly #options: OperatorOptions;
  readonly #tokenQueue: WorkQueue;
  readonly #accountQueue: WorkQueue;
  readonly #sweepQueue: WorkQueue;
  readonly #linkQueue: WorkQueue;
  readonly #evictionQueue: WorkQueue;
  /** Everybody who works, since this process leads. */
  readonly #pools: WorkerPool[] = [];
  readonly #events: EventRecorder;

  constructor(options: OperatorOptions) {
    this.#options = options;
    const { client, clock, random, logger, metrics, identity, settings } = options;
    const queue = (controller: string, fairness?: Fairness) =>
      new WorkQueue({ clock, metrics: metrics.queue(controller), ...(fairness && { fairness }) });
    this.#tokenQueue = queue('registrytoken', {
      lineOf: (key) => this.watches.accountOf(parseObjectKey(key)),
      mostOfOneLine: Math.ceil(settings.workers / 2),
    });
    this.#accountQueue = queue('registryaccount');
    this.#sweepQueue = queue('sweep');
    this.#linkQueue = queue('serviceaccount');
    this.#evictionQueue = queue('eviction');
    this.#events = new EventRecorder({ client, clock, logger, component: OPERATOR, instance: identity });
    this.watches = new Watches({
      client,
      clock,
      random,
      logger,
      metrics: metrics.reflector,
      operatorNamespace: settings.operatorNamespace,
      watchNamespaces: settings.watchNamespaces,
      tokenQueue: this.#tokenQueue,
      accountQueue: this.#accountQueue,
      linkQueue: this.#linkQueue,
    });
  }

  /** Age of the oldest reconciliation under way, in milliseconds; 0 when there is none. */
  get longestRunning(): number {
    return Math.max(0, ...this.#pools.map((pool) => pool.longestRunning));
  }

  /** Watches until the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    await this.watches.run(signal);
  }

  /** Works until the signal aborts, once; what is under way then is finished or aborted within a bounded time. */
  async lead(signal: AbortSignal): Promise<void> {
    const { settings, logger } = this.#options;
    await this.watches.whenSynced(signal);
    const clusterId = settings.clusterId ?? this.#clusterUid();
    logger.info({ clusterId, tokens: this.watches.tokens().length }, 'working');
    const { accounts, tokens, sweeper, linker, evictor } = this.#assemble(clusterId);
    // Conditions tell of accounts and ServiceAccounts: so that a restart changes none, they are known first, if they can be.
    await Promise.all([
      this.#tryAccounts(accounts, signal),
      this.watches.serviceAccounts.settle(HEAD_START, signal),
    ]);
    for (const { metadata } of this.watches.tokens()) {
      this.#tokenQueue.add(objectKey(metadata), { priority: 'low' });
    }
    if (sweeper) for (const { metadata } of this.watches.accounts()) this.#sweepQueue.add(metadata.name);
    await Promise.all([
      this.#pool('registryaccount', this.#accountQueue, ACCOUNT_WORKERS, (key, each) =>
        accounts.reconcile(key, each),
      ).run(signal),
      this.#pool('registrytoken', this.#tokenQueue, settings.workers, (key, each) =>
        tokens.reconcile(parseObjectKey(key), each),
      ).run(signal),
      sweeper &&
        this.#pool('sweep', this.#sweepQueue, SWEEP_WORKERS, (key, each) => sweeper.reconcile(key, each)).run(
          signal,
        ),
      this.#link(linker, signal),
      evictor &&
        this.#pool('eviction', this.#evictionQueue, 1, (key, each) => evictor.reconcile(key, each)).run(
          signal,
        ),
    ]);
    await this.#events.flush();
  }

  /** What does not work out in time is tried again by the accounts' workers. */
  async #tryAccounts(controller: AccountController, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const names = this.watches.accounts().map(({ metadata }) => metadata.name);
    await withDeadline(clock, HEAD_START, signal, (limited) =>
      Promise.all(
        names.map(async (name) => {
          try {
            const result = await controller.reconcile(name, limited);
            this.#accountQueue.addAfter(name, result?.requeueAfter ?? 0);
          } catch (error) {
            logger.debug({ account: name, err: error }, 'an account could not be tried yet');
            this.#accountQueue.add(name);
          }
        }),
      ),
    );
  }

  /** Without knowing the ServiceAccounts nothing can be done to them; what concerns them waits in the queue until then. */
  async #link(linker: ServiceAccountLinker, signal: AbortSignal): Promise<void> {
    await this.watches.serviceAccounts.whenSynced(signal).catch(() => undefined);
    await this.#pool('serviceaccount', this.#linkQueue, LINK_WORKERS, (key, each) =>
      linker.reconcile(parseObjectKey(key), each),
    ).run(signal);
  }

  #pool(
    name: string,
    queue: WorkQueue,
    workers: number,
    reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>,
  ): WorkerPool {
    const { clock, logger, metrics, settings } = this.#options;
    const { shutdownTimeout: drainTime } = settings;
    const how = { workers, reconcile, drainTime, clock, logger, metrics: metrics.workers };
    const pool = new WorkerPool({ name, queue, ...how });
    this.#pools.push(pool);
    return pool;
  }

  /** What tells this cluster's tokens from another's: the uid of a namespace that every cluster has and none replaces. */
  #clusterUid(): string {
    const namespace = this.watches.namespace('kube-system');
    if (namespace) return namespace.metadata.uid;
    throw new Error('there is no namespace kube-system to tell this cluster by: set --cluster-id');
  }

  #assemble(clusterId: string): {
    accounts: AccountController;
    tokens: TokenController;
    sweeper: Sweeper | undefined;
    linker: ServiceAccountLinker;
    evictor: PodEvictor | undefined;
  } {
    const { watches } = this;
    const { settings, client, directory, protect, metrics, logger, clock, random } = this.#options;
    const common = { client, directory, logger, clock, random, events: this.#events, metrics: metrics.token };
    const memory = new Memory();
    const sessions = new AccountSessions(directory, clock);
    const secrets = new SecretStore(client, (name: ObjectName) => watches.secret(name));
    const tokens = new TokenClient(client);
    const minter = new Minter({ sessions, memory, clusterId, clock });
    const verifier = new Verifier({ sessions, memory, clock });
    const revoker = new Revoker({ ...common, sessions, minter, memory });
    const skew = (account: string, region: string): number => sessions.skew(account, region);
    const shared = {
      ...common,
      ...settings,
      memory,
      sessions,
      secrets,
      tokens,
      minter,
      verifier,
      revoker,
      skew,
    };
    const { sweep, watchNamespaces } = settings;
    const sweeping = {
      users: new TokenUsers(client, watches, watchNamespaces),
      account: (name: string) => watches.account(name),
      tokens: () => watches.tokens(),
      onOrphans: metrics.token.orphans.bind(metrics.token),
      enqueue: (account: string) => this.#sweepQueue.add(account),
    };
    const sweeper = sweep === 'off' ? undefined : new Sweeper({ ...shared, ...sweeping, sweep, clusterId });
    const { serviceAccounts } = watches;
    const pods = { token: (name: ObjectName) => watches.token(name), queue: this.#evictionQueue };
    const evictor = settings.evictPods ? new PodEvictor({ ...shared, ...pods, serviceAccounts }) : undefined;
    const linker = new ServiceAccountLinker({
      ...common,
      serviceAccounts,
      claimants: (name) => watches.claimantsOf(name),
      onProblem: ({ metadata }) => this.#tokenQueue.add(objectKey(metadata)),
      onLinked: (token, serviceAccount, before) => evictor?.linked(token, serviceAccount, before),
    });
    const onUnauthorized = (account: string): void => this.#accountQueue.add(account);
    return {
      accounts: new AccountController({
        ...shared,
        protect,
        account: (name) => watches.account(name),
        tokensOf: (account) => watches.tokensOf(account),
        onChange: (account) => {
          watches.enqueueTokensOf(account);
          sweeper?.accountChanged(account);
        },
      }),
      tokens: new TokenController({
        ...shared,
        formerSecrets: new FormerSecrets(secrets, watches, linker),
        sources: watches,
        linker,
        onGood: (token) => evictor?.secretIsGood(token),
        assessor: new Assessor({ ...shared, sources: watches }),
        issuer: new Issuer({ ...shared, secrets: new SecretWriter(secrets, sessions), onUnauthorized }),
        finalizer: new TokenFinalizer({
          ...shared,
          linker,
          retention: new Retention(client),
          onLeftBehind: (uid, account, region) => sweeper?.leftBehind(uid, account, region),
        }),
      }),
      sweeper,
      linker,
      evictor,
    };
  }
}
