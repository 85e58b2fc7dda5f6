import type { KubeConfig } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { abortable } from '../../common/abortable.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { readAnswer } from '../client/answer.ts';
import { Attempt } from './attempt.ts';
import { Connections } from './connections.ts';
import { Credentials, type Access } from '../kubeconfig/credentials.ts';
import { refusal } from '../client/errors.ts';
import { lines } from './lines.ts';
import type { RequestMetrics } from '../metrics.ts';
import type { Call, StreamCall, Transport } from './transport.ts';

export interface HttpTransportOptions {
  clock: Clock;
  logger: Logger;
  userAgent: string;
  metrics?: RequestMetrics;
}

/**
 * The transport to the cluster of the kubeconfig's current context.
 * @throws TypeError when that names no cluster
 */
export function httpTransport(kubeConfig: KubeConfig, options: HttpTransportOptions): Transport {
  return new HttpTransport(kubeConfig, options);
}

type Answer = Dispatcher.ResponseData;

class HttpTransport implements Transport {
  readonly #server: URL;
  readonly #credentials: Credentials;
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #userAgent: string;
  readonly #metrics: RequestMetrics | undefined;

  constructor(kubeConfig: KubeConfig, { clock, logger, userAgent, metrics }: HttpTransportOptions) {
    const cluster = kubeConfig.getCurrentCluster();
    if (!cluster) {
      const context = JSON.stringify(kubeConfig.getCurrentContext());
      throw new TypeError(
        `The kubeconfig's current context ${context} names no cluster: set current-context`,
      );
    }
    this.#server = new URL(cluster.server);
    this.#credentials = new Credentials(kubeConfig, clock, logger);
    this.#connections = new Connections(cluster.proxyUrl);
    this.#clock = clock;
    this.#userAgent = userAgent;
    this.#metrics = metrics;
  }

  async request(call: Call): Promise<unknown> {
    using attempt = this.#begin(call);
    try {
      const answer = await this.#accepted(attempt, 'requests', 0);
      return await readAnswer(call, answer.body);
    } catch (error) {
      throw attempt.failure(error);
    }
  }

  async *stream(call: StreamCall): AsyncGenerator<string> {
    using attempt = this.#begin(call);
    try {
      const { body } = await this.#accepted(attempt, 'watches', call.stallLimit);
      attempt.begin();
      call.onOpen?.();
      yield* lines(body);
    } catch (error) {
      throw attempt.failure(error);
    }
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  /** A call that times out may sit on a dead connection, so those after it get a new one. */
  #begin(call: Call): Attempt {
    return new Attempt(call, this.#clock, (pool) => this.#connections.abandon(pool));
  }

  /**
   * The answer, once it is a 2xx. Credentials that were refused are renewed and tried once more.
   * @param stallLimit milliseconds between two chunks of the body; 0 for no limit
   * @throws KubeError when the server refuses
   */
  async #accepted(attempt: Attempt, kind: 'requests' | 'watches', stallLimit: number): Promise<Answer> {
    const { signal } = attempt;
    const access = await abortable(this.#credentials.current(), signal);
    let answer = await this.#send(attempt, kind, access, stallLimit);
    if (answer.statusCode === 401) {
      await answer.body.dump();
      const renewed = await abortable(this.#credentials.renew(access), signal);
      answer = await this.#send(attempt, kind, renewed, stallLimit);
    }
    const { statusCode, headers, body } = answer;
    if (statusCode >= 200 && statusCode < 300) return answer;
    const { method, path } = attempt.call;
    const told = await readAnswer({ method, path }, body).catch(() => undefined);
    throw refusal(attempt.call, statusCode, told, headers['retry-after']);
  }

  async #send(
    attempt: Attempt,
    kind: 'requests' | 'watches',
    access: Access,
    bodyTimeout: number,
  ): Promise<Answer> {
    const { call, signal } = attempt;
    const started = this.#clock.monotonic();
    let code: number | undefined;
    try {
      const pool = this.#connections.for(kind, access);
      attempt.pool = pool;
      const answer = await pool.compose(beforeSending(() => attempt.ask())).request({
        origin: this.#server.origin,
        path: this.#server.pathname.replace(/\/$/, '') + call.path,
        query: call.query ?? {},
        method: call.method,
        headers: {
          ...access.headers,
          'User-Agent': this.#userAgent,
          Accept: call.accept ?? 'application/json',
          ...(call.body !== undefined && { 'Content-Type': call.contentType ?? 'application/json' }),
        },
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal,
        headersTimeout: 0,
        bodyTimeout,
      });
      code = answer.statusCode;
      return answer;
    } finally {
      const milliseconds = this.#clock.monotonic() - started;
      this.#metrics?.requested(call.method, this.#server.host, code, milliseconds);
    }
  }
}

/** Calls back once the request has its connection: undici writes it right after `onRequestStart`, or never if that throws. */
const beforeSending =
  (ask: () => void): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) => {
    const start = handler.onRequestStart?.bind(handler);
    handler.onRequestStart = (controller, context) => {
      ask();
      start?.(controller, context);
    };
    return dispatch(options, handler);
  };
