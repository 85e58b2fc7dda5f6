import type { KubeConfig } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { abortable } from '../../common/abortable.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { answerBody } from '../client/answer.ts';
import { AnswerHandler } from './answer-handler.ts';
import { Attempt } from './attempt.ts';
import { Connections } from './connections.ts';
import { Credentials, type Access } from '../kubeconfig/credentials.ts';
import { refusal } from '../client/errors.ts';
import { lines } from './lines.ts';
import type { RequestMetrics } from '../metrics.ts';
import type { Call, StreamCall, Transport } from './transport.ts';
import { warningsOf } from './warnings.ts';

export interface HttpTransportOptions {
  clock: Clock;
  logger: Logger;
  userAgent: string;
  metrics?: RequestMetrics;
  /**
   * Told of each warning that comes with an answer. It can quote what was sent, a Secret's payload included: it is for whoever sent it.
   */
  onWarning?: (text: string) => void;
}

/**
 * The transport to the cluster of the kubeconfig's current context.
 * @throws TypeError when that names no cluster
 */
export function httpTransport(kubeConfig: KubeConfig, options: HttpTransportOptions): Transport {
  return new HttpTransport(kubeConfig, options);
}

type Kind = 'requests' | 'watches';

class HttpTransport implements Transport {
  readonly #server: URL;
  /** Of the server itself, which goes before that of each call. */
  readonly #path: string;
  readonly #credentials: Credentials;
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #userAgent: string;
  readonly #metrics: RequestMetrics | undefined;
  readonly #onWarning: ((text: string) => void) | undefined;

  constructor(kubeConfig: KubeConfig, options: HttpTransportOptions) {
    const { clock, logger, userAgent, metrics, onWarning } = options;
    const cluster = kubeConfig.getCurrentCluster();
    if (!cluster) {
      const context = JSON.stringify(kubeConfig.getCurrentContext());
      throw new TypeError(
        `The kubeconfig's current context ${context} names no cluster: set current-context`,
      );
    }
    this.#server = new URL(cluster.server);
    this.#path = this.#server.pathname.replace(/\/$/, '');
    this.#credentials = new Credentials(kubeConfig, clock, logger);
    this.#connections = new Connections(cluster.proxyUrl);
    this.#clock = clock;
    this.#userAgent = userAgent;
    this.#metrics = metrics;
    this.#onWarning = onWarning;
  }

  async request(call: Call): Promise<unknown> {
    using attempt = this.#begin(call);
    try {
      const { content } = await this.#accepted(attempt, 'requests', (pool, options) => {
        const handler = new AnswerHandler(attempt);
        pool.dispatch({ ...options, bodyTimeout: 0 }, handler);
        return handler.answer;
      });
      return content;
    } catch (error) {
      throw attempt.failure(error);
    }
  }

  async *stream(call: StreamCall): AsyncGenerator<string> {
    using attempt = this.#begin(call);
    const { signal } = attempt;
    try {
      const { body } = await this.#accepted(attempt, 'watches', async (pool, options) => {
        const answer = await pool.request({ ...options, bodyTimeout: call.stallLimit, signal });
        if (isAccepted(answer)) return answer;
        return { ...answer, content: await contentOf(call, answer.body) };
      });
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
   * @throws KubeError when the server refuses; what `send` throws
   */
  async #accepted<T extends Received>(attempt: Attempt, kind: Kind, send: Send<T>): Promise<T> {
    const { call } = attempt;
    const access = this.#credentials.fresh ?? (await abortable(this.#credentials.current(), attempt.signal));
    let answer = await this.#send(attempt, kind, access, send);
    if (answer.statusCode === 401) {
      const renewed = await abortable(this.#credentials.renew(access), attempt.signal);
      answer = await this.#send(attempt, kind, renewed, send);
    }
    if (isAccepted(answer)) return answer;
    throw refusal(call, answer.statusCode, answer.content, answer.headers['retry-after']);
  }

  async #send<T extends Received>(attempt: Attempt, kind: Kind, access: Access, send: Send<T>): Promise<T> {
    const { call } = attempt;
    const started = this.#clock.monotonic();
    let code: number | undefined;
    try {
      const pool = this.#connections.for(kind, access);
      attempt.pool = pool;
      const answer = await send(pool, {
        origin: this.#server.origin,
        path: this.#path + call.path,
        query: call.query ?? {},
        method: call.method,
        headers: {
          ...access.headers,
          'User-Agent': this.#userAgent,
          Accept: call.accept ?? 'application/json',
          ...(call.body !== undefined && { 'Content-Type': call.contentType ?? 'application/json' }),
        },
        body: call.body === undefined ? null : JSON.stringify(call.body),
        headersTimeout: 0,
      });
      code = answer.statusCode;
      if (this.#onWarning) warningsOf(answer.headers['warning']).forEach(this.#onWarning);
      return answer;
    } finally {
      const milliseconds = this.#clock.monotonic() - started;
      this.#metrics?.requested(call.method, this.#server.host, code, milliseconds);
    }
  }
}

/** What came of a request; of one that was refused with the server's explanation, where it can be read. */
type Received = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'> & { content?: unknown };

type Send<T> = (pool: Dispatcher, options: Dispatcher.DispatchOptions) => Promise<T>;

const isAccepted = ({ statusCode }: Received): boolean => statusCode >= 200 && statusCode < 300;

/** What the server says of a stream that it refuses; undefined where that is not JSON. */
async function contentOf({ method, path }: Call, chunks: AsyncIterable<Buffer>): Promise<unknown> {
  const body = answerBody({ method, path });
  try {
    for await (const chunk of chunks) body.take(chunk);
    return body.end();
  } catch {
    return undefined;
  }
}
