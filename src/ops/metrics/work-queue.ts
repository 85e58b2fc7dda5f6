import { Counter, exponentialBuckets, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../common/clock.ts';
import type { WorkQueueMetrics } from '../../kube/metrics.ts';

/** controller-runtime's buckets (pkg/metrics/workqueue.go): 10 ns to 1000 s. */
const BUCKETS = exponentialBuckets(1e-8, 10, 12);

/** What client-go's work queues report (util/workqueue/metrics.go). Times of work under way are taken when they are asked for. */
export class WorkQueuesMetrics {
  readonly #clock: Clock;
  readonly #running = new Map<string, Map<string, number>>();
  readonly #depth: Gauge<'name'>;
  readonly #adds: Counter<'name'>;
  readonly #wait: Histogram<'name'>;
  readonly #work: Histogram<'name'>;
  readonly #retries: Counter<'name'>;

  constructor(registry: Registry, clock: Clock) {
    this.#clock = clock;
    const common = { labelNames: ['name'] as const, registers: [registry] };
    this.#depth = new Gauge({ ...common, name: 'workqueue_depth', help: 'Keys that wait.' });
    this.#adds = new Counter({ ...common, name: 'workqueue_adds_total', help: 'Keys put in.' });
    this.#retries = new Counter({ ...common, name: 'workqueue_retries_total', help: 'Keys put back.' });
    this.#wait = new Histogram({
      ...common,
      name: 'workqueue_queue_duration_seconds',
      help: 'How long keys wait before they are worked on.',
      buckets: BUCKETS,
    });
    this.#work = new Histogram({
      ...common,
      name: 'workqueue_work_duration_seconds',
      help: 'How long the work on a key takes.',
      buckets: BUCKETS,
    });
    const ages = (name: string) => this.#ages(name);
    const names = () => this.#running.keys();
    void new Gauge({
      ...common,
      name: 'workqueue_unfinished_work_seconds',
      help: 'Sum of the time that work under way has taken.',
      collect() {
        for (const name of names()) this.set({ name }, ages(name).reduce((sum, age) => sum + age, 0) / 1000);
      },
    });
    void new Gauge({
      ...common,
      name: 'workqueue_longest_running_processor_seconds',
      help: 'How long the oldest work under way has taken.',
      collect() {
        for (const name of names()) this.set({ name }, Math.max(0, ...ages(name)) / 1000);
      },
    });
  }

  /** Begins a queue's series, at zero. */
  queue(name: string): WorkQueueMetrics {
    const clock = this.#clock;
    const waiting = new Map<string, number>();
    const running = new Map<string, number>();
    this.#running.set(name, running);
    const depth = this.#depth.labels(name);
    const adds = this.#adds.labels(name);
    const retries = this.#retries.labels(name);
    const wait = this.#wait.labels(name);
    const work = this.#work.labels(name);
    depth.set(0);
    adds.inc(0);
    retries.inc(0);
    this.#wait.zero({ name });
    this.#work.zero({ name });
    return {
      added(key) {
        adds.inc();
        waiting.set(key, clock.monotonic());
        depth.set(waiting.size);
      },
      started(key) {
        const now = clock.monotonic();
        const since = waiting.get(key);
        if (since !== undefined) wait.observe((now - since) / 1000);
        waiting.delete(key);
        depth.set(waiting.size);
        running.set(key, now);
      },
      finished(key) {
        const since = running.get(key);
        if (since !== undefined) work.observe((clock.monotonic() - since) / 1000);
        running.delete(key);
      },
      retried: () => retries.inc(),
    };
  }

  /** How long each piece of a queue's work under way has taken, in milliseconds. */
  #ages(name: string): number[] {
    const now = this.#clock.monotonic();
    return [...(this.#running.get(name)?.values() ?? [])].map((since) => now - since);
  }
}
