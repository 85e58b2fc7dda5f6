import type { Clock } from '../../common/clock.ts';
import { NoAnswer } from './answer-reader.ts';
import { RegistryError } from '../errors.ts';
import { refusal, unanswered } from './failures.ts';
import type { HttpAnswer } from './answer.ts';
import type { HttpRequest, HttpSender } from './http-client.ts';
import type { Inquiry } from './request-description.ts';
import type { RegistryMetrics } from './metrics.ts';
import { ServerClocks } from './server-clocks.ts';

/** A request with what messages and metrics say of it. */
export interface RegistryRequest extends HttpRequest, Inquiry {
  account: string;
  /** Empty for what all regions share. */
  region: string;
  operation: 'exchange' | 'verify' | 'mint' | 'read' | 'revoke' | 'list';
}

/** Sends requests and turns every failure into a RegistryError. */
export class RegistryClient {
  readonly serverClocks: ServerClocks;
  readonly #http: HttpSender;
  readonly #metrics: RegistryMetrics;
  readonly #clock: Clock;

  constructor(
    http: HttpSender,
    metrics: RegistryMetrics,
    clock: Clock,
    serverClocks = new ServerClocks(clock),
  ) {
    this.#http = http;
    this.#metrics = metrics;
    this.#clock = clock;
    this.serverClocks = serverClocks;
  }

  /**
   * Sends a request once.
   * @returns an answer with a status in 2xx
   * @throws RegistryError, the signal's reason, or what the request's guard throws
   */
  async ask(request: RegistryRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { account, region, operation } = request;
    const begun = this.#clock.monotonic();
    let code: string | number = 'Aborted';
    try {
      const answer = await this.#http.send(request, signal);
      code = answer.status;
      if (answer.serverTime !== undefined) this.serverClocks.note(account, region, answer.serverTime);
      if (answer.status < 200 || answer.status >= 300) throw refusal(request, answer);
      return answer;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      const failure = unanswered(request, error);
      code = failure.code;
      throw failure;
    } finally {
      this.#metrics.requested({ account, region, operation, code }, this.#clock.monotonic() - begun);
    }
  }
}

/**
 * A URL below a configured one.
 * @throws RegistryError InvalidRequest when the configured one is no HTTP URL
 */
export function urlBelow(base: string, path: string): URL {
  const url = URL.parse(base.replace(/\/+$/, '') + path);
  if (url && /^https?:$/.test(url.protocol) && url.host !== '') return url;
  throw new RegistryError('InvalidRequest', `endpoint ${base} is not an HTTP URL; correct it in the account`);
}
