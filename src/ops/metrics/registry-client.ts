import { STATUS_CODES } from 'node:http';
import { Histogram, type Registry } from 'prom-client';
import type { RegistryAccount } from '../../api/registry-account.ts';

/** From a cached answer nearby to the longest timeout, in seconds. */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const LABELS = ['account', 'region', 'operation', 'code'] as const;
type Labels = Record<(typeof LABELS)[number], string | number>;

/** Requests to registries. Series of accounts that are gone go at the next scrape. */
export class RegistryClientMetrics {
  readonly #duration: Histogram<(typeof LABELS)[number]>;
  /** The series there are, by account. */
  readonly #series = new Map<string, Map<string, Labels>>();

  /** @param list the RegistryAccounts known now; called at each scrape */
  constructor(registry: Registry, list: () => Iterable<RegistryAccount>) {
    const prune = (): void => this.#prune(list());
    this.#duration = new Histogram({
      name: 'registrytoken_registry_request_duration_seconds',
      help: 'How long requests to a registry take, by account, region, operation and result.',
      labelNames: LABELS,
      buckets: BUCKETS,
      registers: [registry],
      collect: prune,
    });
  }

  /** @param code the HTTP status, or the code of the error where there was no answer */
  requested(
    given: { account: string; region: string; operation: string; code: string | number },
    milliseconds: number,
  ): void {
    const labels = { ...given, code: boundedCode(given.code) };
    this.#duration.observe(labels, milliseconds / 1000);
    const series = this.#series.get(labels.account) ?? new Map<string, Labels>();
    this.#series.set(labels.account, series.set(JSON.stringify(labels), labels));
  }

  #prune(accounts: Iterable<RegistryAccount>): void {
    const there = new Set([...accounts].map(({ metadata }) => metadata.name));
    for (const [account, series] of this.#series) {
      if (there.has(account)) continue;
      for (const labels of series.values()) this.#duration.remove(labels);
      this.#series.delete(account);
    }
  }
}

/** A status that HTTP does not know is told by its class: a registry that sends any number makes no series of its own with each. */
function boundedCode(code: string | number): string | number {
  return typeof code === 'number' && !(code in STATUS_CODES) ? `${Math.floor(code / 100)}xx` : code;
}
