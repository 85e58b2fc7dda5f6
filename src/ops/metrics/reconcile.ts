import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../common/clock.ts';
import type { ReconcileOutcome, WorkerPoolMetrics } from '../../kube/metrics.ts';

const OUTCOMES: readonly ReconcileOutcome[] = ['success', 'requeue_after', 'error'];

/** controller-runtime's buckets (pkg/internal/controller/metrics), in seconds. */
const BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5,
  1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];

/** What controller-runtime's controllers report, under the names its dashboards and alerts know. */
export class ReconcileMetrics implements WorkerPoolMetrics {
  readonly #clock: Clock;
  readonly #total: Counter<'controller' | 'result'>;
  readonly #errors: Counter<'controller'>;
  readonly #terminalErrors: Counter<'controller'>;
  readonly #panics: Counter<'controller'>;
  readonly #time: Histogram<'controller'>;
  readonly #active: Gauge<'controller'>;
  readonly #most: Gauge<'controller'>;

  constructor(registry: Registry, clock: Clock) {
    this.#clock = clock;
    const common = { labelNames: ['controller'] as const, registers: [registry] };
    this.#total = new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciliations per controller and result.',
      labelNames: ['controller', 'result'],
      registers: [registry],
    });
    this.#errors = new Counter({
      ...common,
      name: 'controller_runtime_reconcile_errors_total',
      help: 'Reconciliations that failed, per controller.',
    });
    this.#terminalErrors = new Counter({
      ...common,
      name: 'controller_runtime_terminal_reconcile_errors_total',
      help: 'Reconciliations that failed in a way that trying again does not help, per controller.',
    });
    this.#panics = new Counter({
      ...common,
      name: 'controller_runtime_reconcile_panics_total',
      help: 'Reconciliations that ended in an error nobody expected, per controller.',
    });
    this.#time = new Histogram({
      ...common,
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'How long reconciliations take, per controller.',
      buckets: BUCKETS,
    });
    this.#active = new Gauge({
      ...common,
      name: 'controller_runtime_active_workers',
      help: 'Workers busy now, per controller.',
    });
    this.#most = new Gauge({
      ...common,
      name: 'controller_runtime_max_concurrent_reconciles',
      help: 'Workers there are, per controller.',
    });
  }

  /** Makes a controller's series appear at zero, before anything happened. */
  addController(controller: string, workers: number): void {
    for (const result of OUTCOMES) this.#total.inc({ controller, result }, 0);
    for (const counter of [this.#errors, this.#terminalErrors, this.#panics]) counter.inc({ controller }, 0);
    this.#time.zero({ controller });
    this.#active.set({ controller }, 0);
    this.#most.set({ controller }, workers);
  }

  /** Counts a reconciliation from its start; what it returns is called once, at the end. */
  start(controller: string): (result: ReconcileOutcome) => void {
    const started = this.#clock.monotonic();
    this.#active.inc({ controller });
    return (result) => {
      this.#active.dec({ controller });
      this.#time.observe({ controller }, (this.#clock.monotonic() - started) / 1000);
      this.#total.inc({ controller, result });
      if (result === 'error') this.#errors.inc({ controller });
    };
  }

  /** Counts a failure that only a change to the object can mend. */
  terminalError(controller: string): void {
    this.#terminalErrors.inc({ controller });
  }

  /** Counts an error that is a mistake in the program. */
  panic(controller: string): void {
    this.#panics.inc({ controller });
  }
}
