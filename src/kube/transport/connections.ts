import { isDeepStrictEqual } from 'node:util';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import { ADDRESS_TIMEOUT } from '../../common/deadline.ts';
import type { Access } from '../kubeconfig/credentials.ts';

/** TCP keep-alive after this long without traffic: shorter than the idle limits of load balancers. */
const KEEP_ALIVE = 30_000;
/** Milliseconds to open a connection. */
const CONNECT_TIMEOUT = 10_000;
/** Connections for requests at most; each carries one call at a time. */
const REQUEST_CONNECTIONS = 8;

interface Pools {
  tls: Access['tls'];
  requests: Dispatcher;
  watches: Dispatcher;
}

/**
 * The pooled connections to one API server, made anew when the TLS material changes. Every watch has a connection of its own,
 * so that one dead connection silences one watch.
 *
 * A proxy is used where the kubeconfig names one, and no other: HTTPS_PROXY is meant for what is outside of the cluster.
 *
 * HTTP/1.1 throughout: when an HTTP/2 connection breaks under load, undici 8.12 leaves calls that were under way on it
 * without an answer or an error, and calls that follow them too.
 */
export class Connections {
  readonly #proxyUrl: string | undefined;
  #pools: Pools | undefined;

  constructor(proxyUrl: string | undefined) {
    this.#proxyUrl = proxyUrl;
  }

  /** Where to send a call of that kind. Connections with other TLS material close when their calls have ended. */
  for(kind: 'requests' | 'watches', { tls }: Access): Dispatcher {
    if (!this.#pools || !(this.#pools.tls === tls || isDeepStrictEqual(this.#pools.tls, tls))) {
      this.#retire();
      this.#pools = {
        tls,
        requests: this.#open(tls, { connections: REQUEST_CONNECTIONS }),
        watches: this.#open(tls, {}),
      };
    }
    this.#pools.tls = tls;
    return this.#pools[kind];
  }

  /** Stops using connections over which a call timed out, unless they are out of use already. */
  abandon(pool: Dispatcher | undefined): void {
    if (pool && (this.#pools?.requests === pool || this.#pools?.watches === pool)) this.#retire();
  }

  /** Waits for requests under way; watches are cut. */
  async close(): Promise<void> {
    const pools = this.#pools;
    this.#pools = undefined;
    await Promise.all([pools?.requests.close(), pools?.watches.destroy()]);
  }

  #retire(): void {
    void this.#pools?.requests.close();
    void this.#pools?.watches.close();
    this.#pools = undefined;
  }

  #open(tls: Access['tls'], limits: { connections?: number }): Dispatcher {
    const options = { ...limits, allowH2: false };
    const tcp = { timeout: CONNECT_TIMEOUT, autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT };
    const connect = {
      ...tls,
      ...tcp,
      allowH2: false,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE,
    };
    return this.#proxyUrl
      ? new ProxyAgent({ ...options, uri: this.#proxyUrl, proxyTls: tcp, requestTls: connect })
      : new Agent({ ...options, connect });
  }
}
