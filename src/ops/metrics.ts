import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ClusterRegistryToken } from '../api/cluster-registry-token.ts';
import type { RegistryAccount } from '../api/registry-account.ts';
import type { RegistryToken } from '../api/registry-token.ts';
import type { Clock } from '../common/clock.ts';
import { addAccountState } from './metrics/account-state.ts';
import { addClusterTokenState } from './metrics/cluster-token-state.ts';
import { KubeClientMetrics } from './metrics/kube-client.ts';
import { ReconcileMetrics } from './metrics/reconcile.ts';
import { RegistryClientMetrics } from './metrics/registry-client.ts';
import { TokenMetrics } from './metrics/token.ts';
import { addTokenState } from './metrics/token-state.ts';
import { WorkQueuesMetrics } from './metrics/work-queue.ts';

export interface MetricsOptions {
  /** The operator's version and its runtime's. */
  version: string;
  nodeVersion: string;
  clock: Clock;
  /** The RegistryTokens known now; called at each scrape. */
  listTokens: () => Iterable<RegistryToken>;
  /** The RegistryAccounts known now; called at each scrape. */
  listAccounts: () => Iterable<RegistryAccount>;
  /** The ClusterRegistryTokens known now; called at each scrape. */
  listClusterTokens: () => Iterable<ClusterRegistryToken>;
}

/** Everything the operator reports, in one place that a scrape reads. */
export class Metrics {
  readonly reconcile: ReconcileMetrics;
  readonly workQueues: WorkQueuesMetrics;
  readonly kubeClient: KubeClientMetrics;
  readonly registryClient: RegistryClientMetrics;
  readonly token: TokenMetrics;
  readonly #registry = new Registry();
  #text: Promise<string> | undefined;

  constructor({ version, nodeVersion, clock, listTokens, listAccounts, listClusterTokens }: MetricsOptions) {
    collectDefaultMetrics({ register: this.#registry });
    new Gauge({
      name: 'registrytoken_build_info',
      help: 'Always 1; the labels say what runs.',
      labelNames: ['version', 'node_version'],
      registers: [this.#registry],
    }).set({ version, node_version: nodeVersion }, 1);
    this.reconcile = new ReconcileMetrics(this.#registry, clock);
    this.workQueues = new WorkQueuesMetrics(this.#registry, clock);
    this.kubeClient = new KubeClientMetrics(this.#registry, clock);
    this.registryClient = new RegistryClientMetrics(this.#registry, listAccounts);
    this.token = new TokenMetrics(this.#registry);
    addTokenState(this.#registry, clock, listTokens);
    addAccountState(this.#registry, listAccounts);
    addClusterTokenState(this.#registry, listClusterTokens);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything in Prometheus' text format, made once for all who ask meanwhile: it is large where there are many objects. */
  text(): Promise<string> {
    this.#text ??= this.#registry.metrics().finally(() => (this.#text = undefined));
    return this.#text;
  }
}
