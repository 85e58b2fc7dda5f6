import { OPERATOR } from '../api/names.ts';
import type { Clock } from '../common/clock.ts';
import { withDeadline } from '../common/deadline.ts';
import type { Redacted } from '../common/redacted.ts';
import type { Logger } from '../common/logger.ts';
import type { KubeObject, ObjectName } from '../common/objects.ts';
import type { KubeClient } from '../kube/client.ts';
import { EventRecorder } from '../kube/event-recorder.ts';
import type { ReflectorMetrics, WorkerPoolMetrics, WorkQueueMetrics } from '../kube/metrics.ts';
import { objectKey, parseObjectKey } from '../kube/object-key.ts';
import { NAMESPACES } from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { WorkerPool, type ReconcileResult } from '../kube/worker-pool.ts';
import type { RegistryDirectory } from '../registry/directory.ts';
import { AccountController } from './account-controller.ts';
import { AccountSessions } from './account-sessions.ts';
import { Assessor } from './assessor.ts';
import { Issuer } from './issuer.ts';
import { Memory } from './memory.ts';
import type { TokenMetrics } from './metrics.ts';
import { Minter } from './minter.ts';
import { Revoker } from './revoker.ts';
import { SecretStore } from './secret-store.ts';
import { TokenClient } from './token-client.ts';
import { TokenController } from './token-controller.ts';
import { TokenFinalizer } from './token-finalizer.ts';
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
}

export interface OperatorMetrics {
  token: TokenMetrics;
  reflector: ReflectorMetrics;
  workers: WorkerPoolMetrics;
  tokenQueue: WorkQueueMetrics;
  accountQueue: WorkQueueMetrics;
}

export interface OperatorOptions {
  settings: OperatorSettings;
  client: KubeClient;
  directory: RegistryDirectory;
  /** Name of this process among its replicas. */
  identity: string;
  /** Told of every key and password read, so that no log line lets one through. */
  protect: (secret: Redacted) => void;
  /** Whether this process may act: asked right before a token is created. */
  mayAct: () => boolean;
  metrics: OperatorMetrics;
  logger: Logger;
  clock: Clock;
  random: () => number;
}

/** Accounts get a head start of this at most, so that tokens do not find them not ready for want of having been looked at. */
const HEAD_START = 5_000;
const ACCOUNT_WORKERS = 4;

/** The operator without its surroundings: watches always, acts while it leads. */
export class Operator {
  readonly watches: Watches;
  readonly #options: OperatorOptions;
  readonly #tokenQueue: WorkQueue;
  readonly #accountQueue: WorkQueue;
  readonly #events: EventRecorder;

  constructor(options: OperatorOptions) {
    this.#options = options;
    const { client, clock, random, logger, metrics, identity, settings } = options;
    this.#tokenQueue = new WorkQueue({ clock, metrics: metrics.tokenQueue });
    this.#accountQueue = new WorkQueue({ clock, metrics: metrics.accountQueue });
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
    });
  }

  /** Watches until the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    await this.watches.run(signal);
  }

  /** Works until the signal aborts; what is under way then is finished or aborted within a bounded time. */
  async lead(signal: AbortSignal): Promise<void> {
    const { client, settings, logger } = this.#options;
    await this.watches.whenSynced(signal);
    const clusterId = settings.clusterId ?? (await readClusterId(client, signal));
    logger.info({ clusterId, tokens: this.watches.tokens().length }, 'working');
    const { accounts, tokens } = this.#assemble(clusterId);
    await this.#tryAccounts(accounts, signal);
    for (const { metadata } of this.watches.accounts()) this.#accountQueue.add(metadata.name);
    for (const { metadata } of this.watches.tokens()) {
      this.#tokenQueue.add(objectKey(metadata), { priority: 'low' });
    }
    await Promise.all([
      this.#pool('registryaccount', this.#accountQueue, ACCOUNT_WORKERS, (key, each) =>
        accounts.reconcile(key, each),
      ).run(signal),
      this.#pool('registrytoken', this.#tokenQueue, settings.workers, (key, each) =>
        tokens.reconcile(parseObjectKey(key), each),
      ).run(signal),
    ]);
    await this.#events.flush();
  }

  /** Failures show in the accounts' own conditions, once their workers run. */
  async #tryAccounts(controller: AccountController, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const tries = await withDeadline(clock, HEAD_START, signal, (limited) =>
      Promise.allSettled(
        this.watches.accounts().map(({ metadata }) => controller.reconcile(metadata.name, limited)),
      ),
    );
    for (const each of tries) {
      if (each.status === 'rejected')
        logger.debug({ error: each.reason }, 'an account was not tried in time');
    }
  }

  #pool(
    name: string,
    queue: WorkQueue,
    workers: number,
    reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>,
  ): WorkerPool {
    const { clock, logger, metrics } = this.#options;
    return new WorkerPool({ name, queue, workers, reconcile, clock, logger, metrics: metrics.workers });
  }

  #assemble(clusterId: string): { accounts: AccountController; tokens: TokenController } {
    const { watches } = this;
    const { settings, client, directory, mayAct, protect, metrics, logger, clock, random } = this.#options;
    const common = { client, directory, logger, clock, random, events: this.#events, metrics: metrics.token };
    const memory = new Memory();
    const sessions = new AccountSessions(directory, clock);
    const secrets = new SecretStore(client, (name: ObjectName) => watches.secret(name));
    const tokens = new TokenClient(client);
    const minter = new Minter({ sessions, memory, clusterId, clock, mayAct });
    const revoker = new Revoker({ ...common, sessions });
    const shared = { ...common, ...settings, memory, sessions, secrets, tokens, minter, revoker };
    const onUnauthorized = (account: string): void => this.#accountQueue.add(account);
    return {
      accounts: new AccountController({
        ...shared,
        protect,
        account: (name) => watches.account(name),
        countTokens: (account) => watches.tokensOf(account).length,
        onChange: (account) => watches.enqueueTokensOf(account),
      }),
      tokens: new TokenController({
        ...shared,
        sources: watches,
        assessor: new Assessor({ ...shared, sources: watches }),
        issuer: new Issuer({ ...shared, onUnauthorized }),
        finalizer: new TokenFinalizer(shared),
      }),
    };
  }
}

/** What tells this cluster's tokens from another's: the uid of a namespace that every cluster has and none replaces. */
async function readClusterId(client: KubeClient, signal: AbortSignal): Promise<string> {
  const namespace = await client.get<KubeObject>(
    NAMESPACES,
    { name: 'kube-system' },
    { metadataOnly: true, signal },
  );
  return namespace.metadata.uid;
}
