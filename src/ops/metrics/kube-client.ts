import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../common/clock.ts';
import type { LeaderMetrics, ReflectorMetrics, RequestMetrics } from '../../kube/metrics.ts';

/** client-go's buckets (component-base/metrics/prometheus/restclient), in seconds. */
const BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/** Requests to the API server, watches and leadership. */
export class KubeClientMetrics implements RequestMetrics, ReflectorMetrics, LeaderMetrics {
  readonly #clock: Clock;
  readonly #requests: Counter<'code' | 'method' | 'host'>;
  readonly #duration: Histogram<'verb' | 'host'>;
  readonly #lastEvent: Gauge<'resource'>;
  readonly #relists: Counter<'resource'>;
  readonly #refused: Gauge<'resource'>;
  readonly #leader: Gauge<'name'>;

  constructor(registry: Registry, clock: Clock) {
    this.#clock = clock;
    const registers = [registry];
    this.#requests = new Counter({
      name: 'rest_client_requests_total',
      help: 'Requests to the API server by status code (<error> without an answer), method and host.',
      labelNames: ['code', 'method', 'host'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'rest_client_request_duration_seconds',
      help: 'How long requests to the API server take until the answer begins, by verb and host.',
      labelNames: ['verb', 'host'],
      buckets: BUCKETS,
      registers,
    });
    this.#lastEvent = new Gauge({
      name: 'registrytoken_watch_last_event_timestamp_seconds',
      help: 'When a watch last showed life (event, bookmark or list), by resource.',
      labelNames: ['resource'],
      registers,
    });
    this.#relists = new Counter({
      name: 'registrytoken_watch_relists_total',
      help: 'Full lists of a resource, the first one included.',
      labelNames: ['resource'],
      registers,
    });
    this.#refused = new Gauge({
      name: 'registrytoken_watch_refused',
      help: 'Whether the API server refuses to let a resource be listed or watched (1) or lets it be again (0).',
      labelNames: ['resource'],
      registers,
    });
    this.#leader = new Gauge({
      name: 'leader_election_master_status',
      help: 'Whether this process leads (1) or not (0), by lease.',
      labelNames: ['name'],
      registers,
    });
  }

  /**
   * Counts a request.
   * @param code the HTTP status, or undefined when there was no answer
   * @param milliseconds until the answer's headers, or until it failed
   */
  requested(method: string, host: string, code: number | undefined, milliseconds: number): void {
    this.#requests.inc({ code: code ?? '<error>', method, host });
    this.#duration.observe({ verb: method, host }, milliseconds / 1000);
  }

  /** Notes that a watch showed life. */
  watchEvent(resource: string): void {
    this.#lastEvent.set({ resource }, this.#clock.now() / 1000);
  }

  /** A list was answered: nothing is refused, also where nothing ever was. */
  relisted(resource: string): void {
    this.#relists.inc({ resource });
    this.refused(resource, false);
  }

  refused(resource: string, refused: boolean): void {
    this.#refused.set({ resource }, refused ? 1 : 0);
  }

  leading(lease: string, leads: boolean): void {
    this.#leader.set({ name: lease }, leads ? 1 : 0);
  }
}
