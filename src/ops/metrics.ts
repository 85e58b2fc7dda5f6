import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { RegistryToken } from '../api/registry-token.ts';
import type { Clock } from '../common/clock.ts';
import { KubeClientMetrics } from './metrics/kube-client.ts';
import { ReconcileMetrics } from './metrics/reconcile.ts';
import { RegistryClientMetrics } from './metrics/registry-client.ts';
import { TokenMetrics } from './metrics/token.ts';
import { WorkQueuesMetrics } from './metrics/work-queue.ts';

export interface MetricsOptions {
  /** The operator's version and its runtime's. */
  version: string;
  nodeVersion: string;
  clock: Clock;
  /** The RegistryTokens known now; called at each scrape. */
  listTokens: () => Iterable<RegistryToken>;
}

/** Everything the operator reports, in one place that a scrape reads. */
export class Metrics {
  readonly reconcile: ReconcileMetrics;
  readonly workQueues: WorkQueuesMetrics;
  readonly kubeClient: KubeClientMetrics;
  readonly registryClient: RegistryClientMetrics;
  readonly token: TokenMetrics;
  readonly #registry = new Registry();

  constructor({ version, nodeVersion, clock, listTokens }: MetricsOptions) {
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
    this.registryClient = new RegistryClientMetrics(this.#registry);
    this.token = new TokenMetrics(this.#registry, clock, listTokens);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
