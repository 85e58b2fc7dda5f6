import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { Agent, Pool, ProxyAgent, type Dispatcher } from 'undici';
import type { Clock } from '../../common/clock.ts';
import { ADDRESS_TIMEOUT, withDeadline } from '../../common/deadline.ts';
import type { BodyLimits } from './answer-body.ts';
import { AnswerReader } from './answer-reader.ts';
import { readAnswer, type HttpAnswer, type RawAnswer } from './answer.ts';
import { NoProxy } from './no-proxy.ts';
import type { Proxy } from './proxy.ts';

export interface HttpRequest extends Partial<BodyLimits> {
  method: 'GET' | 'POST' | 'DELETE';
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: string;
  /**
   * Called right before the first byte is sent, after every wait for a connection. What it throws ends the request, and
   * nothing was sent.
   */
  guard?: (() => void) | undefined;
}

export interface HttpClientOptions {
  clock: Clock;
  userAgent: string;
  /** Milliseconds from the beginning of a request to the end of its answer. */
  timeout: number;
  proxy?: Proxy | undefined;
  /** Certificates in PEM form of authorities to trust beside the usual ones. */
  caBundle?: string | undefined;
}

/** The way to registries: HTTP in production, in-process in simulations. */
export interface HttpSender {
  /**
   * Sends a request once.
   * @throws NoAnswer when no status arrived in time; the signal's reason when it aborted; what the guard throws
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
}

/** Milliseconds to open a connection: shorter than the timeout of a request, so that a dead host is detected early. */
const CONNECT_TIMEOUT = 5_000;
/** Bytes of a body, where the request does not say. */
const MAX_BODY = 2 ** 20;

/**
 * Pooled connections to registries. HTTP/1.1 only: undici never sends such a request a second time by itself. Redirects are
 * answers like others: following one would give the credentials to another host.
 */
export class HttpClient implements HttpSender {
  readonly #clock: Clock;
  readonly #userAgent: string;
  readonly #timeout: number;
  readonly #direct: Dispatcher;
  readonly #proxy: { agent: Dispatcher; except: NoProxy } | undefined;

  constructor({ clock, userAgent, timeout, proxy, caBundle }: HttpClientOptions) {
    this.#clock = clock;
    this.#userAgent = userAgent;
    this.#timeout = timeout;
    const tcp = { timeout: CONNECT_TIMEOUT, autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT };
    const tls = caBundle === undefined ? {} : { secureContext: trusting(caBundle) };
    this.#direct = new Agent({ allowH2: false, connect: { ...tcp, ...tls } });
    if (!proxy) return;
    const agent = new ProxyAgent({
      uri: proxy.url,
      allowH2: false,
      connectTimeout: CONNECT_TIMEOUT,
      proxyTls: tcp,
      requestTls: tls,
      // The connection to the proxy: it carries only CONNECT requests.
      clientFactory: (origin, given) => new Pool(origin, { ...given, headersTimeout: CONNECT_TIMEOUT }),
    });
    this.#proxy = { agent, except: new NoProxy(proxy.except) };
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    const raw = await this.#exchange(request, signal);
    if (raw.flaw === 'is cut off') signal.throwIfAborted();
    return readAnswer(raw, this.#clock.now());
  }

  async #exchange(request: HttpRequest, signal: AbortSignal): Promise<RawAnswer> {
    const { method, url, headers, body = null, maxBody = MAX_BODY, rows, guard } = request;
    try {
      return await withDeadline(this.#clock, this.#timeout, signal, (limited) => {
        const reader = new AnswerReader({ maxBody, rows }, limited, guard);
        this.#agentFor(url).dispatch(
          {
            origin: url.origin,
            path: url.pathname + url.search,
            method,
            headers: { ...headers, 'User-Agent': this.#userAgent },
            body,
            headersTimeout: 0,
            bodyTimeout: 0,
          },
          reader,
        );
        return reader.answer;
      });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  #agentFor(url: URL): Dispatcher {
    const proxied = url.protocol === 'https:' && this.#proxy && !this.#proxy.except.matches(url);
    return proxied && this.#proxy ? this.#proxy.agent : this.#direct;
  }
}

function trusting(caBundle: string): SecureContext {
  return createSecureContext({ ca: [...getCACertificates('default'), caBundle] });
}
