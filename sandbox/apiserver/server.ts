import { sleep, systemClock, type Clock } from '../../src/common/clock.ts';
import { Catalog } from './catalog.ts';
import { GarbageCollector } from './controllers/garbage-collector.ts';
import { DefinitionController } from './controllers/definition-controller.ts';
import { NamespaceController } from './controllers/namespace-controller.ts';
import { Deleter } from './deleter.ts';
import { discover } from './discovery/discovery.ts';
import { Faults, type Fault } from './faults.ts';
import { namespaces } from './kinds/namespace.ts';
import { PERMANENT_NAMESPACES } from './namespace-lifecycle.ts';
import { ConnectionLost, readResourcePath, type Answer, type ApiRequest } from './request.ts';
import { answer, ResourceService } from './resource-service.ts';
import { StatusError } from './status-error.ts';
import { Store } from './store.ts';
import { WatchRoom } from './watch-room.ts';
import { Writer, type Webhook } from './writer.ts';

export interface ApiServerOptions {
  clock?: Clock;
  /** Numbers from 0 up to 1, for uids and generated names. */
  random?: () => number;
  /** Admission webhooks; default: none. */
  webhook?: Webhook;
  /** Told of every request and how it was answered (0: not at all), for tests that count calls. */
  observe?: (request: ApiRequest, status: number) => void;
}

/** A Kubernetes API server in memory, without sockets: requests in, answers out. */
export class ApiServer {
  readonly faults = new Faults();
  readonly watches: WatchRoom;
  readonly store: Store;
  readonly #clock: Clock;
  readonly #catalog = new Catalog();
  readonly #resources: ResourceService;
  readonly #observe: (request: ApiRequest, status: number) => void;
  readonly #controllers: { stop: () => void }[];

  constructor({
    clock = systemClock,
    random = Math.random,
    webhook = ({ object }) => object,
    observe = () => {},
  }: ApiServerOptions = {}) {
    this.#clock = clock;
    this.#observe = observe;
    const store = new Store(clock);
    const catalog = this.#catalog;
    const writer = new Writer({ store, clock, random, webhook });
    const deleter = new Deleter(store, clock);
    const watches = new WatchRoom(store, clock, this.faults);
    this.store = store;
    this.watches = watches;
    this.#resources = new ResourceService({ store, clock, catalog, writer, deleter, watches });
    const surroundings = { store, clock, catalog, deleter, watches };
    this.#controllers = [
      new DefinitionController(surroundings),
      new NamespaceController(surroundings),
      new GarbageCollector(surroundings),
    ];
    for (const name of PERMANENT_NAMESPACES)
      writer.create(
        namespaces,
        '',
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
        { manager: 'kube-apiserver', dryRun: false },
      );
  }

  /**
   * Answers one request. Errors of the API are answers too.
   * @throws ConnectionLost when a fault breaks the connection
   */
  async handle(request: ApiRequest): Promise<Answer> {
    const fault = this.faults.take(request);
    try {
      const given = await this.#answer(request, fault);
      this.#observe(request, given.status);
      return given;
    } catch (error) {
      if (error instanceof ConnectionLost) this.#observe(request, 0);
      throw error;
    }
  }

  /** Forgets history: watches and paged lists from earlier revisions get 410. */
  compact(): void {
    this.store.compact();
  }

  /** Ends all watches and the work of the controllers. */
  close(): void {
    this.watches.end();
    for (const controller of this.#controllers) controller.stop();
  }

  async #answer(request: ApiRequest, fault: Fault | undefined): Promise<Answer> {
    if (fault?.kind === 'slow') await sleep(this.#clock, fault.milliseconds, request.signal);
    if (fault?.kind === 'status') return faultAnswer(fault);
    if (fault?.kind === 'reset') throw new ConnectionLost();
    const given = this.#route(request);
    if (fault?.kind === 'drop-after-effect') throw new ConnectionLost();
    return given;
  }

  #route(request: ApiRequest): Answer {
    try {
      const known = discover(this.#catalog, request);
      if (known) return known;
      const path = readResourcePath(request.path);
      if (!path || !this.#catalog.has(path.group, path.version))
        return {
          status: 404,
          headers: { 'content-type': 'text/plain; charset=utf-8' },
          body: '404 page not found\n',
        };
      return this.#resources.handle(path, request);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      return answer(error.code, error.status);
    }
  }
}

const REASONS: Record<number, string> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

function faultAnswer(fault: Extract<Fault, { kind: 'status' }>): Answer {
  const { code, retryAfterSeconds } = fault;
  const reason = fault.reason ?? REASONS[code] ?? '';
  const details = retryAfterSeconds === undefined ? undefined : { retryAfterSeconds };
  const { status } = new StatusError(
    code,
    reason,
    fault.message ?? `ordered failure: ${code} ${reason}`,
    details,
  );
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  return answer(code, status, headers);
}
