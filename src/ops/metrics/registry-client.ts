import { Histogram, type Registry } from 'prom-client';

/** From a cached answer nearby to the longest timeout, in seconds. */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Requests to registries. */
export class RegistryClientMetrics {
  readonly #duration: Histogram<'account' | 'region' | 'operation' | 'code'>;

  constructor(registry: Registry) {
    this.#duration = new Histogram({
      name: 'registrytoken_registry_request_duration_seconds',
      help: 'How long requests to a registry take, by account, region, operation and result.',
      labelNames: ['account', 'region', 'operation', 'code'],
      buckets: BUCKETS,
      registers: [registry],
    });
  }

  /** @param code the HTTP status, or the code of the error where there was no answer */
  requested(
    labels: { account: string; region: string; operation: string; code: string | number },
    milliseconds: number,
  ): void {
    this.#duration.observe(labels, milliseconds / 1000);
  }
}
