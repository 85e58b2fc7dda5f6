import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher } from 'undici';

/** What is sent, and as what; JSON unless given. */
interface Message {
  body?: unknown;
  contentType?: string;
  accept?: string;
}

/** Calls to an API server over pooled connections, and nothing else: no time limits, no metrics, no second tries. */
export class Api {
  readonly #origin: string;
  readonly #agent: Agent;
  readonly #headers: Record<string, string>;

  constructor(kubeConfig: KubeConfig, connections: number) {
    const cluster = kubeConfig.getCurrentCluster();
    const user = kubeConfig.getCurrentUser();
    if (!cluster) throw new TypeError('the kubeconfig names no cluster');
    const decoded = (text: string | undefined): string | undefined =>
      text === undefined ? undefined : Buffer.from(text, 'base64').toString();
    const tls = { ca: decoded(cluster.caData), cert: decoded(user?.certData), key: decoded(user?.keyData) };
    this.#origin = cluster.server;
    this.#agent = new Agent({ connections, connect: tls });
    this.#headers = user?.token === undefined ? {} : { authorization: `Bearer ${user.token}` };
  }

  /** @throws Error for every answer but a 2xx */
  async ask(
    method: Dispatcher.HttpMethod,
    path: string,
    { body, contentType = 'application/json', accept = 'application/json' }: Message = {},
  ): Promise<unknown> {
    const { statusCode, body: answer } = await this.#agent.request({
      origin: this.#origin,
      path,
      method,
      headers: { ...this.#headers, accept, 'content-type': contentType },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    if (statusCode >= 300) throw new Error(`${method} ${path}: ${statusCode} ${text}`);
    return JSON.parse(text);
  }
}
