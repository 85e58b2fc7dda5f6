import { OPERATOR } from '../api/names.ts';
import type { Clock } from '../common/clock.ts';
import { withDeadline } from '../common/deadline.ts';
import type { Redacted } from '../common/redacted.ts';
import type { Logger } from '../common/logger.ts';
import type { KubeClient } from '../kube/client/client.ts';
import { EventRecorder } from '../kube/events/event-recorder.ts';
import type { ReflectorMetrics, WorkerPoolMetrics, WorkQueueMetrics } from '../kube/metrics.ts';
import { parseObjectKey } from '../kube/client/object-key.ts';
import { WorkQueue, type Fairness } from '../kube/queue/work-queue.ts';
import { WorkerPool } from '../kube/queue/worker-pool.ts';
import type { RegistryDirectory } from '../registry/directory.ts';
import type { AccountController } from './account/account-controller.ts';
import { assembleControllers, LINK_WORKERS, type Queues } from './controllers.ts';
import type { Controller } from './shared/controller.ts';
import type { TokenMetrics } from './shared/metrics.ts';
import { Watches } from './shared/watches.ts';

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
  /** Whether ClusterRegistryTokens are looked after. */
  clusterTokens: boolean;
  /** Whether pods that came before their Secret was good are evicted. */
  evictPods: boolean;
  /** Whether pods that use or wait for a RegistryToken's Secret are counted. */
  countPods: boolean;
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

/** The operator without its surroundings: watches always, acts while it leads. */
export class Operator {
  readonly watches: Watches;
  readonly #options: OperatorOptions;
  readonly #queues: Queues;
  /** Everybody who works, since this process leads. */
  readonly #pools: WorkerPool[] = [];
  readonly #events: EventRecorder;

  constructor(options: OperatorOptions) {
    this.#options = options;
    const { client, clock, random, logger, metrics, identity, settings } = options;
    const queue = (controller: string, fairness?: Fairness) =>
      new WorkQueue({ clock, metrics: metrics.queue(controller), ...(fairness && { fairness }) });
    this.#queues = {
      token: queue('registrytoken', {
        lineOf: (key) => this.watches.placeOf(parseObjectKey(key)),
        maxOfOneLine: Math.ceil((settings.workers * 3) / 4),
      }),
      account: queue('registryaccount'),
      sweep: queue('sweep'),
      // A pattern can stand for thousands of one namespace.
      link: queue('serviceaccount', {
        lineOf: (key) => parseObjectKey(key).namespace ?? '',
        maxOfOneLine: LINK_WORKERS - 1,
      }),
      pods: queue('pods'),
      eviction: queue('eviction'),
      clusterToken: queue('clusterregistrytoken'),
    };
    this.#events = new EventRecorder({ client, clock, logger, component: OPERATOR, instance: identity });
    this.watches = new Watches({
      client,
      clock,
      random,
      logger,
      metrics: metrics.reflector,
      operatorNamespace: settings.operatorNamespace,
      watchNamespaces: settings.watchNamespaces,
      clusterTokens: settings.clusterTokens,
      countPods: settings.countPods,
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
    this.watches.feed(this.#queues);
    const surroundings = { watches: this.watches, queues: this.#queues, events: this.#events, clusterId };
    const { accounts, all } = assembleControllers(this.#options, surroundings);
    // Conditions tell of accounts and ServiceAccounts: so that a restart changes none, they are known first, if they can be.
    await Promise.all([
      this.#tryAccounts(accounts, signal),
      this.watches.serviceAccounts.settle(HEAD_START, signal),
    ]);
    const left = this.watches.serviceAccounts.lookForLeft(signal);
    if (settings.sweep !== 'off')
      for (const { metadata } of this.watches.accounts()) this.#queues.sweep.add(metadata.name);
    await Promise.all([left, ...all.map((controller) => this.#run(controller, signal))]);
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
            this.#queues.account.addAfter(name, result?.requeueAfter ?? 0);
          } catch (error) {
            logger.debug({ account: name, err: error }, 'an account could not be tried yet');
            this.#queues.account.add(name);
          }
        }),
      ),
    );
  }

  async #run({ ready, ...controller }: Controller, signal: AbortSignal): Promise<void> {
    const { clock, logger, metrics, settings } = this.#options;
    const how = { drainTime: settings.shutdownTimeout, clock, logger, metrics: metrics.workers };
    await ready?.(signal);
    const pool = new WorkerPool({ ...controller, ...how });
    this.#pools.push(pool);
    await pool.run(signal);
  }

  /** What tells this cluster's tokens from another's: the uid of a namespace that every cluster has and none replaces. */
  #clusterUid(): string {
    const namespace = this.watches.namespace('kube-system');
    if (namespace) return namespace.metadata.uid;
    throw new Error('there is no namespace kube-system to tell this cluster by: set --cluster-id');
  }
}
